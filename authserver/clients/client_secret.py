"""Client secrets: made, kept as digests, compared.

A client secret is 256 random bits, so a plain SHA-256 protects it; a password hash would only slow every request.
"""

import hashlib
import hmac
from datetime import datetime

from authserver.protocol import base64url
from authserver.protocol.entropy import Entropy
from authserver.protocol.secret import Secret
from authserver.records.client import Client


def create_secret(entropy: Entropy) -> Secret:
    """Make a client secret of 256 random bits."""
    return Secret("cs_" + base64url.encode(entropy(32)))


def digest_secret(secret: Secret) -> bytes:
    """The digest of a client secret, which is all that the database keeps."""
    return hashlib.sha256(secret.reveal().encode("utf-8", "surrogatepass")).digest()


def is_secret_of(client: Client, shown: Secret, now: datetime) -> bool:
    """Whether `shown` is the client's secret, or its former one inside the overlap. Compares in constant time."""
    digest, former = digest_secret(shown), client.former_secret
    is_current = client.secret_digest is not None and hmac.compare_digest(digest, client.secret_digest)
    is_former = former is not None and hmac.compare_digest(digest, former.digest) and now < former.expires_at
    return is_current or is_former
