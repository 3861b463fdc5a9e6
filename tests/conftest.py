"""Fixtures of the whole suite: time by hand, repeatable randomness, real databases, recorded statements.

Every fixture that touches storage runs on SQLite and on a real PostgreSQL. `AUTHSERVER_TEST_POSTGRES` names the server
to use (its role must be allowed to create databases); otherwise the suite starts its own. Where neither works the tests
fail: a skipped database would hide a missing half of the promise.
"""

import gc
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import hypothesis
import pytest

from authserver import storage
from authserver.realm import Realm
from tests.support.wire.smtp import SmtpSink, smtp_server
from tests.support.world import compiled_once, statements
from tests.support.world.clock import ManualClock
from tests.support.world.databases import BACKENDS, Databases, PostgresDatabases, SqliteDatabases, opened
from tests.support.world.entropy import SeededEntropy
from tests.support.world.postgres import running_postgres
from tests.support.world.realm import build_realm

statements.install()
if not os.environ.get("PLAIN_SUITE"):  # make test-plain: other libraries exactly as they are
    compiled_once.install()

ROOM = 1 << 30
"""Bytes that have to be free in memory for databases to be kept there."""

# On a shared machine the time that one example takes says nothing about the code.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=50, help="how often each race is run (make races: 500)")
    parser.addoption("--examples", type=int, default=3, help="how often schemathesis tries each call (make fuzz: 300)")
    parser.addoption("--screenshots", action="store_true", help="write the pictures in docs/screenshots anew")


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the garbage collector need not go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a race is run."""
    value: int = request.config.getoption("--rounds")
    return value


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in [name for name in os.environ if name.startswith("AUTHSERVER_") and name != "AUTHSERVER_TEST_POSTGRES"]:
        monkeypatch.delenv(name)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands still until `advance`."""
    return ManualClock()


@pytest.fixture
def entropy() -> SeededEntropy:
    """Randomness that repeats."""
    return SeededEntropy()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabases]:
    """Makes SQLite files; in memory where there is room, because each commit waits for the disk otherwise."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder below it is our own
    if not memory.is_dir() or shutil.disk_usage(memory).free < ROOM:
        yield SqliteDatabases(tmp_path_factory.mktemp("sqlite"))
        return
    with tempfile.TemporaryDirectory(prefix="authserver-", dir=memory) as folder:
        yield SqliteDatabases(Path(folder))


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[PostgresDatabases]:
    """Makes databases on a real PostgreSQL, started with the first test that needs it."""
    with ExitStack() as stack:
        url = os.environ.get("AUTHSERVER_TEST_POSTGRES") or stack.enter_context(running_postgres())
        databases = PostgresDatabases(url, prefix=f"authserver_test_{uuid.uuid4().hex[:8]}")
        stack.callback(databases.close)
        yield databases


@pytest.fixture(params=BACKENDS)
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Makes databases of the kind that this run of the test is for; each test runs once per kind."""
    made: Databases = request.getfixturevalue(f"{request.param}_databases")
    before = made.count_made()  # a module may have some that last for all its tests
    yield made
    made.forget(before)


@pytest.fixture
def database_url(databases: Databases) -> str:
    """The URL of a migrated database without rows."""
    return databases.migrated()


@pytest.fixture
def empty_database_url(databases: Databases) -> str:
    """The URL of a database without tables, for the tests of migrations and of first starts."""
    return databases.empty()


@pytest.fixture
def database(database_url: str) -> Iterator[storage.Database]:
    """An open, migrated database without rows."""
    with opened(database_url) as database:
        yield database


@pytest.fixture
def realm(database_url: str, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Realm]:
    """An installation on a database of its own: open registration, the first-party client, no user."""
    realm = build_realm(database_url, clock, entropy)
    yield realm
    realm.database.dispose()


@pytest.fixture
def crowded(database_url: str, clock: ManualClock, entropy: SeededEntropy) -> Iterator[Realm]:
    """A realm with fewer connections than the races have threads."""
    realm = build_realm(database_url, clock, entropy, pool_size=3)
    yield realm
    realm.database.dispose()


@pytest.fixture
def recording() -> Callable[[], AbstractContextManager[list[str]]]:
    """Lists every statement sent to any database while its block runs."""
    return statements.recording


@pytest.fixture
def mail_sink() -> Iterator[SmtpSink]:
    """A mail server of its own, on a loopback address and not encrypted."""
    with smtp_server() as sink:
        yield sink
