"""Assembly of the installation: converts the settings into the values that the rooms define, and builds a `Realm`.

It imports no HTTP door, so that commands and embedders get a realm without the web. It owns the system's randomness.
"""

import secrets

from authserver import storage
from authserver.clock import Clock, SystemClock
from authserver.config import Settings, load_settings
from authserver.credentials.hashing_pool import HashingPool, Places
from authserver.credentials.password_policy import PasswordPolicy
from authserver.credentials.passwords import PasswordHasher
from authserver.custody.key_custody import KeyCustody
from authserver.keyring.life_cycle import KeyTimes
from authserver.keyring.live import KeyringLoader, LiveKeyring
from authserver.keyring.master_files import load_master_keys
from authserver.outbound import Outbound
from authserver.protocol.entropy import Entropy
from authserver.realm import KeyProofs, Passwords, Realm, Registration
from authserver.realm.client_documents import ClientDocuments, DocumentPolicy
from authserver.realm.client_keys import ClientKeys
from authserver.realm.client_registry import ClientRegistry
from authserver.records.client_document import Terms
from authserver.records.link import LONGEST_LIFETIME
from authserver.revocation import Revocation
from authserver.revocation.feed import RevocationFeed, feed_window
from authserver.sessions.lifetimes import Lifetimes, RetryWindows
from authserver.storage import Database
from authserver.storage.proofs import UsedProofs
from authserver.storage.rotation import Rotation
from authserver.web.edge.places import share_out

SERVICE_WORDS = ("authserver",)
SPARE_CONNECTIONS = 4
"""Connections for work that takes no turn: housekeeping, mail, calls, a query inside another, SQLite's one writer."""

SYSTEM_ENTROPY: Entropy = secrets.token_bytes


def open_database(settings: Settings) -> Database:
    """Open the database of `settings`; nothing is connected yet."""
    url, turns = settings.database_url.reveal(), share_out(settings.threads).turns
    prepared = settings.prepared_statements == "on"
    return storage.open(url, pool_size=turns + SPARE_CONNECTIONS, turns=turns, prepared=prepared)


def build_custody(settings: Settings, database: Database, *, clock: Clock, entropy: Entropy) -> KeyCustody:
    """Build the custody of the keys: their store, their master keys and their times."""
    return KeyCustody(
        database=database,
        read_master_keys=lambda: load_master_keys(settings.keys_dir),
        times=KeyTimes(
            jwks_max_age=settings.jwks_max_age,
            retire_after=settings.key_retire_after,
            rotation_interval=settings.key_rotation_interval,
            # A late retry can come up to this window after the idle lifetime of the token that it repeats has ended.
            mac_retire_after=max(settings.refresh_idle_lifetime + settings.refresh_late_retry_window, LONGEST_LIFETIME),
        ),
        revocation=_build_revocation(settings, entropy),
        clock=clock,
        entropy=entropy,
    )


def build_realm(settings: Settings, custody: KeyCustody) -> Realm:
    """Build the realm, and read its keys.

    Raises:
        KeyringError: the keys cannot be used; the message is one line.
    """
    database, clock, outbound = custody.database, custody.clock, Outbound(settings.private_hosts)
    loader = KeyringLoader(custody.load_keys, custody.read_master_keys, clock)
    documents = _read_document_policy(settings)
    return Realm(
        issuer=settings.issuer,
        default_audience=settings.default_audience,
        database=database,
        rotation=Rotation(database),
        proofs=KeyProofs(UsedProofs(database), demand_nonce=settings.dpop_nonce == "required"),
        keyring=LiveKeyring(loader, clock),
        clients=ClientRegistry(database, clock, documents.terms),
        client_keys=ClientKeys(outbound, clock),
        passwords=_build_passwords(settings),
        revocation=custody.revocation,
        feed=RevocationFeed(database, settings.issuer, feed_window(settings.access_token_lifetime), clock),
        lifetimes=Lifetimes(
            access_token_lifetime=settings.access_token_lifetime,
            refresh_idle_lifetime=settings.refresh_idle_lifetime,
            refresh_absolute_lifetime=settings.refresh_absolute_lifetime,
            retry_windows=RetryWindows(settings.refresh_retry_window, settings.refresh_late_retry_window),
            max_sessions_per_user=settings.max_sessions_per_user,
        ),
        reauthentication_age=settings.reauthentication_age,
        jwks_max_age=settings.jwks_max_age,
        registration=Registration(settings.registration == "open", settings.require_verified_email),
        registers_clients=settings.dynamic_registration != "off",
        documents=ClientDocuments(documents, outbound, clock),
        outbound=outbound,
        clock=clock,
        entropy=custody.entropy,
    )


def open_realm(clock: Clock | None = None, entropy: Entropy = SYSTEM_ENTROPY) -> Realm:
    """Open the installation that the settings name, for other code in the same process; see docs/embedding.md.

    Raises:
        SettingsError: the settings are unusable; the message names all errors.
        KeyringError: the keys cannot be used; the message is one line.
        StorageUnavailableError: the database cannot be reached.
    """
    settings, clock = load_settings(), clock or SystemClock()
    return build_realm(settings, build_custody(settings, open_database(settings), clock=clock, entropy=entropy))


def _build_passwords(settings: Settings) -> Passwords:
    policy = PasswordPolicy(settings.password_min_length, (*SERVICE_WORDS, settings.product_name))
    return Passwords(PasswordHasher(), HashingPool(Places.among(settings.threads)), policy)


def _read_document_policy(settings: Settings) -> DocumentPolicy:
    return DocumentPolicy(
        is_on=settings.client_id_metadata_documents == "on",
        hosts=frozenset(settings.client_id_metadata_hosts),
        terms=Terms(settings.client_id_metadata_scopes, settings.client_id_metadata_resources),
    )


def _build_revocation(settings: Settings, entropy: Entropy) -> Revocation:
    return Revocation(settings.revocation_policy, settings.access_token_lifetime, entropy)
