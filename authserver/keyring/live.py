"""The keyring of a running server: reloaded while it serves, never worse than the last good one.

The server reloads it every two seconds, so that it sees a rotation without a restart; a MAC key that it meets before
that causes one reload of its own.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from authserver.clock import NEVER, Clock, Reading
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import Keyring, build_keyring
from authserver.keyring.keys import MacKey
from authserver.keyring.sealing import MasterKeys

_COOL_DOWN = timedelta(seconds=1)


class LiveKeyring:
    """Holds the current `Keyring`; safe to share between threads. The first load raises what is wrong."""

    def __init__(self, load: Callable[[], Keyring], clock: Clock) -> None:
        """Load once. `load` is usually a `KeyringLoader`."""
        self._load = load
        self._clock = clock
        self._loading = threading.Lock()
        self._confirmed = Reading.of(clock)
        self._asked = NEVER
        self._failure: Exception | None = None
        self._current = load()

    @property
    def current(self) -> Keyring:
        """The newest good keys. Take it once for a request, so that the request sees one set."""
        return self._current

    @property
    def failure(self) -> Exception | None:
        """Why the last reload failed; None if it did not. For health checks and metrics."""
        return self._failure

    @property
    def age(self) -> timedelta:
        """How long ago `current` was last known to be what the database holds.

        It belongs into the `Age` header of the JWKS (RFC 9111 §5.1): a cache that counts from there cannot lack a key
        for longer than `max-age` after it was published, whichever node it asked.
        """
        return timedelta(seconds=self._confirmed.age(self._clock))

    def reload(self) -> None:
        """Load again now. Raises what is wrong, for the log; the last good keys serve on."""
        with self._loading:
            self._reload()

    def find_mac_key(self, kid: str) -> MacKey | None:
        """The MAC key called `kid`. For one that is not known it reloads, at most once a second whoever asks."""
        current = self._current
        found = current.find_mac_key(kid)
        if found is not None or current.find_ended_mac_key(kid) is not None:
            return found
        # Not longer: whoever reloads may be waiting for the database, and anybody can name a key that there is not.
        if self._loading.acquire(timeout=_COOL_DOWN.total_seconds()):
            try:
                self._reload_for_one()
            finally:
                self._loading.release()
        return self._current.find_mac_key(kid)

    def _reload_for_one(self) -> None:
        if self._asked.age(self._clock) >= _COOL_DOWN.total_seconds():
            self._asked = Reading.of(self._clock)
            # `failure` keeps it, and the next regular reload meets it again and raises it.
            with suppress(Exception):
                self._reload()

    def _reload(self) -> None:
        # Before loading: what is loaded may be as old as the moment when it was asked for.
        asked = Reading.of(self._clock)
        try:
            self._current = self._load()
        except Exception as error:
            self._failure = error
            raise
        self._failure = None
        self._confirmed = asked


class KeyringLoader:
    """Builds a `Keyring` from what it reads; while nothing has changed, it hands out the same one.

    Parsing private keys takes milliseconds, RSA tens of them: too much for every reload. A key whose retirement has
    come leaves the keyring on time even if nobody runs `authserver keys rotate`. Not safe between threads by itself.
    """

    def __init__(
        self, read_keys: Callable[[], KeySet], read_master_keys: Callable[[], MasterKeys], clock: Clock
    ) -> None:
        """Take the two sources; nothing is read yet."""
        self._read_keys = read_keys
        self._read_master_keys = read_master_keys
        self._clock = clock
        self._built: tuple[KeySet, MasterKeys, Keyring] | None = None

    def __call__(self) -> Keyring:
        """The keyring as it is now, or a `KeyringError`."""
        masters = self._read_master_keys()
        keys = self._read_keys().as_of(self._clock.now())
        if self._built is None or self._built[:2] != (keys, masters):
            self._built = (keys, masters, build_keyring(keys, masters))
        return self._built[2]
