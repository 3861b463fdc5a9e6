"""The keyring of a running server, reloaded while it serves. If a reload fails, the last good one stays.

The server reloads it every two seconds, so a rotation needs no restart. An unknown MAC key causes one reload before
that.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from authserver.clock import NEVER, Clock, Reading
from authserver.keyring.errors import NoActiveKeyError
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import Keyring, build_keyring
from authserver.keyring.keys import MacKey, SigningKey
from authserver.keyring.sealing import MasterKeys

_COOL_DOWN = timedelta(seconds=1)


class LiveKeyring:
    """Holds the current `Keyring`; safe to share between threads. If the first load fails, its error is raised."""

    def __init__(self, load: Callable[[], Keyring], clock: Clock) -> None:
        """Load the first keyring. `load` is usually a `KeyringLoader`."""
        self._load = load
        self._clock = clock
        self._loading = threading.Lock()
        self._confirmed = Reading.of(clock)
        self._asked = NEVER
        self._failure: Exception | None = None
        self._current = load()

    @property
    def current(self) -> Keyring:
        """The newest good keys. Read this once per request, so that the request sees one set."""
        return self._current

    @property
    def failure(self) -> Exception | None:
        """Why the last reload failed; None if it did not. For health checks and metrics."""
        return self._failure

    @property
    def age(self) -> timedelta:
        """How long ago `current` was last known to match the database.

        It is sent in the `Age` header of the JWKS (RFC 9111 §5.1). A cache that counts from there has each key at most
        `max-age` after it was published, no matter which node it asked.
        """
        return timedelta(seconds=self._confirmed.age(self._clock))

    def reload(self) -> None:
        """Load again now. Raises the error, for the log; the last good keys stay in use."""
        with self._loading:
            self._reload()

    def load_client_key(self, algorithm: str | None) -> SigningKey:
        """The key that signs what a client receives; see `Keyring.find_client_key`.

        An algorithm without a key causes a reload, at most once a second over all callers: an operator may just have
        made the key. `NoActiveKeyError` if there is still none.
        """
        if (found := self._current.find_client_key(algorithm)) is not None:
            return found
        self._reload_once()
        found = self._current.find_client_key(algorithm)
        if found is None:
            raise NoActiveKeyError(f"no {algorithm} key is active; run: authserver keys rotate")
        return found

    def find_mac_key(self, kid: str) -> MacKey | None:
        """The MAC key called `kid`. An unknown `kid` causes a reload, at most once a second over all callers."""
        current = self._current
        found = current.find_mac_key(kid)
        if found is not None or current.find_ended_mac_key(kid) is not None:
            return found
        self._reload_once()
        return self._current.find_mac_key(kid)

    def _reload_once(self) -> None:
        # Wait no longer: the reloading thread may hang on the database, and anybody can name a key that does not exist.
        if self._loading.acquire(timeout=_COOL_DOWN.total_seconds()):
            try:
                self._reload_for_one()
            finally:
                self._loading.release()

    def _reload_for_one(self) -> None:
        if self._asked.age(self._clock) >= _COOL_DOWN.total_seconds():
            self._asked = Reading.of(self._clock)
            # `failure` keeps the error, and the next regular reload raises it again.
            with suppress(Exception):
                self._reload()

    def _reload(self) -> None:
        # Read before loading: the loaded keys may be as old as the moment when the load began.
        asked = Reading.of(self._clock)
        try:
            self._current = self._load()
        except Exception as error:
            self._failure = error
            raise
        self._failure = None
        self._confirmed = asked


class KeyringLoader:
    """Builds a `Keyring` from its two sources; while nothing has changed, it returns the same object.

    Parsing private keys takes milliseconds (RSA: tens of milliseconds), too much for every reload. A key whose
    retirement is due leaves the keyring on time, even if nobody runs `authserver keys rotate`. Not thread-safe by
    itself.
    """

    def __init__(
        self, read_keys: Callable[[], KeySet], read_master_keys: Callable[[], MasterKeys], clock: Clock
    ) -> None:
        """Keep the two sources; nothing is read yet."""
        self._read_keys = read_keys
        self._read_master_keys = read_master_keys
        self._clock = clock
        self._built: tuple[KeySet, MasterKeys, Keyring] | None = None

    def __call__(self) -> Keyring:
        """Build the present keyring, or raise a `KeyringError`."""
        masters = self._read_master_keys()
        keys = self._read_keys().as_of(self._clock.now())
        if self._built is None or self._built[:2] != (keys, masters):
            self._built = (keys, masters, build_keyring(keys, masters))
        return self._built[2]
