"""One server behind TLS for all libraries; each test has a client and a user of its own."""

from collections.abc import Iterator

import pytest

from tests.support.people.device import register
from tests.support.world.databases import SqliteDatabases
from tests.support.world.secure_server import SecureServer, secure_server
from tests.support.world.time_limit import time_limit

NAME = "Ada Lovelace"


@pytest.fixture(scope="session")
def secure(sqlite_databases: SqliteDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureServer]:
    with secure_server(tmp_path_factory.mktemp("secure"), sqlite_databases.migrated()) as secure:
        yield secure


@pytest.fixture
def email(secure: SecureServer) -> Iterator[str]:
    """The address of a new user."""
    with time_limit(120):
        yield register(secure.server, name=NAME)
