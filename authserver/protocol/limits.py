"""The numbers that the contract fixes, each once. Settings may choose within some of them, and change none."""

from datetime import timedelta
from typing import Final

from authserver import clock

SECOND: Final = timedelta(seconds=1)

LEEWAY: Final = timedelta(seconds=clock.LEEWAY)
"""The largest difference between the clocks of an issuer and a verifier (contract §1)."""

ACCESS_TOKEN_LIFETIME: Final = timedelta(minutes=5)
"""The default lifetime of access tokens (contract §1)."""

SHORTEST_LIFETIME: Final = timedelta(minutes=1)
"""The shortest lifetime of access and refresh tokens, in settings and in a client's record."""

LONGEST_ACCESS_TOKEN_LIFETIME: Final = timedelta(hours=1)
"""The longest lifetime of access tokens that settings allow, and that verifiers accept by default."""

SIGN_OUT_GRACE: Final = timedelta(hours=24)
"""How long after its expiry an access token may still sign its own session out (contract §3)."""

REST_MARGIN: Final = timedelta(seconds=10)
"""How much longer a family rests than its retry window: the time that node clocks and a stalled request may differ."""

JWKS_MAX_AGE: Final = timedelta(minutes=5)
"""The default age at which caches fetch the keys again (contract §2)."""

FEED_MARGIN: Final = timedelta(minutes=1)
"""How much longer than access-token lifetime and leeway together the feed keeps an entry (design §6)."""

FEED_STALENESS: Final = timedelta(seconds=10)
"""The age of a follower's last feed page at which it refuses tokens, with the verifier's defaults (design §6)."""

KEY_WINDOW: Final = timedelta(days=30)
"""How long the feed names a compromised key. Key caches live longer than tokens (design §6)."""
