"""An installation for tests: real use cases on a real database, with cheap hashes and new keys."""

import dataclasses
from datetime import timedelta
from typing import Any

from authserver import storage
from authserver.account.register import Registered, create_user
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID, ClientRegistration, register_client
from authserver.clock import Clock
from authserver.credentials.hashing_pool import HashingPool, Places
from authserver.credentials.password_policy import PasswordPolicy
from authserver.credentials.passwords import CHEAP, PasswordHasher
from authserver.jose.algorithms import find_algorithm
from authserver.keyring.key_set import KeySet
from authserver.keyring.keyring import Keyring, build_keyring
from authserver.keyring.keys import Purpose
from authserver.keyring.live import LiveKeyring
from authserver.keyring.making import make_mac_key, make_signing_key
from authserver.keyring.sealing import MasterKey, MasterKeys
from authserver.outbound import Outbound
from authserver.protocol.client_metadata import ClientKind
from authserver.protocol.entropy import Entropy
from authserver.protocol.secret import Secret
from authserver.realm import KeyProofs, Passwords, Realm, Registration
from authserver.realm.client_documents import ClientDocuments, DocumentPolicy
from authserver.realm.client_keys import ClientKeys
from authserver.realm.client_registry import ClientRegistry
from authserver.revocation import Revocation
from authserver.revocation.feed import RevocationFeed, feed_window
from authserver.revocation.policy import RevocationPolicy
from authserver.sessions.lifetimes import Lifetimes, RetryWindows
from authserver.storage.proofs import UsedProofs
from authserver.storage.rotation import Rotation

ISSUER = "http://127.0.0.1:8000"
AUDIENCE = f"{ISSUER}/api"
EMAIL = "ada@example.test"
PASSWORD = "correct horse battery staple"
SCOPE = ("openid", "profile", "email", "admin")

LIFETIMES = Lifetimes(
    access_token_lifetime=timedelta(minutes=5),
    refresh_idle_lifetime=timedelta(days=7),
    refresh_absolute_lifetime=timedelta(days=90),
    retry_windows=RetryWindows(timedelta(seconds=60), timedelta(days=1)),
    max_sessions_per_user=100,
)

# One for all tests: loading the hash backends and starting threads takes longer than most tests.
_HASHER = PasswordHasher(CHEAP)
_HASHING_POOL = HashingPool(Places(200, 0), threads=2)
_OUTBOUND = Outbound({"127.0.0.1", "localhost"})


def build_realm(database_url: str, clock: Clock, entropy: Entropy, **changes: Any) -> Realm:  # noqa: ANN401 - a Realm's own fields
    """Build an installation on the migrated database at `database_url`, with the first-party client.

    Registration is open and needs no confirmed address. `changes` replace fields of the `Realm`; two realms on one
    database are two nodes of one installation when they share a keyring: `build_realm(…, keyring=other.keyring)`.
    The caller disposes of `Realm.database`.
    """
    database = storage.open(database_url, pool_size=changes.pop("pool_size", 5))
    keyring = changes.pop("keyring", None) or _hold(build_keys(clock, entropy), clock)
    lifetimes = changes.get("lifetimes", LIFETIMES)
    documents = changes.pop("documents", DocumentPolicy())
    realm = Realm(
        issuer=ISSUER,
        default_audience=AUDIENCE,
        database=database,
        rotation=Rotation(database),
        proofs=KeyProofs(UsedProofs(database)),
        keyring=keyring,
        clients=ClientRegistry(database, clock, documents.terms),
        client_keys=ClientKeys(changes.get("outbound", _OUTBOUND), clock),
        passwords=Passwords(_HASHER, _HASHING_POOL, PasswordPolicy(service_words=("authserver",))),
        revocation=Revocation(RevocationPolicy(), lifetimes.access_token_lifetime, entropy),
        feed=RevocationFeed(database, ISSUER, feed_window(lifetimes.access_token_lifetime), clock),
        lifetimes=LIFETIMES,
        reauthentication_age=timedelta(minutes=15),
        jwks_max_age=timedelta(minutes=5),
        registration=Registration(open=True, require_verified_email=False),
        registers_clients=False,
        documents=ClientDocuments(documents, _OUTBOUND, clock),
        outbound=_OUTBOUND,
        clock=clock,
        entropy=entropy,
    )
    if realm.clients.find(FIRST_PARTY_CLIENT_ID) is None:
        add_first_party_client(realm)
    return dataclasses.replace(realm, **changes)


def with_hashing(realm: Realm, **changes: Any) -> Realm:  # noqa: ANN401 - a Passwords' own fields
    """Return `realm` with another hasher, pool or password policy: `with_hashing(realm, pool=…)`."""
    return dataclasses.replace(realm, passwords=dataclasses.replace(realm.passwords, **changes))


def add_first_party_client(realm: Realm) -> None:
    """Register the client with which the tests sign in."""
    registration = ClientRegistration(
        "First party", ClientKind.PUBLIC, FIRST_PARTY_CLIENT_ID, first_party=True, scope=SCOPE
    )
    register_client(realm, registration)


def build_keys(clock: Clock, entropy: Entropy, algorithm: str = "ES256") -> Keyring:
    """Build new keys as `authserver init` does: an active and a next key for each purpose."""
    masters = MasterKeys((MasterKey.read(MasterKey.generate_text(entropy)),))
    row = find_algorithm(algorithm)
    assert row is not None, algorithm
    now = clock.now()
    signing, next_signing = (make_signing_key(row, masters, now) for _ in range(2))
    mac = make_mac_key(masters, now, entropy=entropy, taken=())
    next_mac = make_mac_key(masters, now, entropy=entropy, taken=(mac.kid,))
    return build_keyring(KeySet((signing.activate(now), mac.activate(now), next_signing, next_mac)), masters)


def hold_two_algorithms(clock: Clock, entropy: Entropy) -> LiveKeyring:
    """Keys of ES256 for access tokens, and of EdDSA for clients that ask for it."""
    masters, now = MasterKeys((MasterKey.read(MasterKey.generate_text(entropy)),)), clock.now()
    es256, eddsa = find_algorithm("ES256"), find_algorithm("EdDSA")
    assert es256 is not None
    assert eddsa is not None
    signing = make_signing_key(es256, masters, now).activate(now)
    of_clients = make_signing_key(eddsa, masters, now, purpose=Purpose.ID_TOKEN_EDDSA).activate(now)
    mac = make_mac_key(masters, now, entropy=entropy, taken=()).activate(now)
    keyring = build_keyring(KeySet((signing, of_clients, mac)), masters)
    return _hold(keyring, clock)


def add_user(realm: Realm, email: str = EMAIL, password: str = PASSWORD, roles: tuple[str, ...] = ()) -> str:
    """Add a user with a confirmed address; return the id."""
    outcome = create_user(realm, email=email, password=Secret(password), name="Ada", roles=roles, email_verified=True)
    assert isinstance(outcome, Registered), outcome
    return outcome.user_id


def _hold(keyring: Keyring, clock: Clock) -> LiveKeyring:
    return LiveKeyring(lambda: keyring, clock)
