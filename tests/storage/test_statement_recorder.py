"""The recorder that other tests count statements with sees all of them, at whichever level they are sent."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import sqlalchemy

from authserver import storage
from tests.support.world.databases import Databases, opened

Recording = Callable[[], AbstractContextManager[list[str]]]


def test_a_statement_through_sqlalchemy_is_recorded_once(database: storage.Database, recording: Recording) -> None:
    with database.read() as tx:
        tx.execute(sqlalchemy.text("SELECT 1"))  # the connection is set up by now
    with recording() as sent, database.read() as tx:
        tx.execute(sqlalchemy.text("SELECT 41 + 1"))
    assert sent == ["SELECT 41 + 1"]


def test_a_statement_at_the_driver_is_recorded_once(database: storage.Database, recording: Recording) -> None:
    statement = database.compile(sqlalchemy.select(sqlalchemy.literal_column("41 + 1")))
    statement.execute()
    with recording() as sent:
        row = statement.execute()
    assert row == (42,)
    assert [" ".join(text.split()) for text in sent] == ["SELECT 41 + 1"]


def test_begin_and_commit_are_recorded(database: storage.Database, recording: Recording) -> None:
    with database.write() as tx:
        tx.execute(sqlalchemy.text("SELECT 1"))
    with recording() as sent, database.write() as tx:
        tx.execute(sqlalchemy.text("SELECT 2"))
    assert [text.split()[0] for text in sent] == ["BEGIN", "SELECT", "COMMIT"]


def test_nothing_is_recorded_outside_the_block(database: storage.Database, recording: Recording) -> None:
    with recording() as sent:
        pass
    with database.read() as tx:
        tx.execute(sqlalchemy.text("SELECT 1"))
    assert sent == []


def test_two_databases_of_one_test_share_no_tables(databases: Databases) -> None:
    with opened(databases.migrated()) as one, opened(databases.empty()) as other:
        assert sqlalchemy.inspect(one.engine).get_table_names() != []
        assert sqlalchemy.inspect(other.engine).get_table_names() == []
