"""The settings of a guard, from the environment of its process."""

import os

from authserver.verifier import Verifier


def make_verifier() -> Verifier:
    """Build a verifier that follows the feed, with default values."""
    issuer = os.environ["GUARD_ISSUER"]
    return Verifier(issuer, f"{issuer}/api", os.environ["GUARD_CLIENT_ID"], os.environ["GUARD_CLIENT_SECRET"])
