"""Migrations: what they leave is what the models say, however often, from however many nodes, and however they die."""

import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from authserver import storage
from authserver.records.failures import UnknownRevisionError
from authserver.storage import migrations, revision
from authserver.storage.schema import Base
from tests.support.world.databases import Databases, opened

ROOT = Path(__file__).parents[2]

_KILLED = """
import os, signal, sys
import sqlalchemy
from authserver import storage
from authserver.storage import migrations

database = storage.open(sys.argv[1])

def kill_at_the_second_table(connection, cursor, statement, *_):
    if statement.strip().startswith("CREATE TABLE clients"):
        print("dying", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

sqlalchemy.event.listen(database.engine, "before_cursor_execute", kill_at_the_second_table)
migrations.upgrade(database)
"""

_UPGRADE = """
import sys
from authserver import storage
from authserver.storage import migrations

migrations.upgrade(storage.open(sys.argv[1]))
"""

_CATALOGS = {
    "sqlite": ["SELECT name, sql FROM sqlite_master WHERE tbl_name NOT LIKE 'alembic%' AND sql IS NOT NULL"],
    "postgresql": [
        """SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
           WHERE table_schema = 'public' AND table_name NOT LIKE 'alembic%'""",
        """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
           WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'alembic%'""",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'alembic%'",
        """SELECT relname, reloptions::text FROM pg_class
           WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname NOT LIKE 'alembic%'""",
    ],
}


def _describe(database: storage.Database) -> Counter[str]:
    """Everything that the database itself knows about its schema, line by line."""
    with database.read() as tx:
        rows = [row for query in _CATALOGS[database.dialect] for row in tx.execute(sqlalchemy.text(query))]
    return Counter(part for name, *facts in rows for part in _split_facts(str(name), facts))


def _split_facts(name: str, facts: list[Any]) -> Iterator[str]:
    """Each fact by itself; what SQLite keeps as one text, in the words of whoever wrote it, part by part."""
    text = " ".join(" ".join(map(str, facts)).replace('"', "").split())
    if not text.startswith("CREATE TABLE"):
        yield f"{name}: {text}"
        return
    head, _, body = text.partition("(")
    yield head
    depth, part = 0, ""
    for character in body.removesuffix(")"):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield f"{name}: {part.strip()}"
            part = ""
        else:
            part += character
    yield f"{name}: {part.strip()}"


def test_models_and_migrated_schema_are_the_same(databases: Databases) -> None:
    """Types, defaults, indexes, constraints and storage parameters, as the database itself lists them."""
    with opened(databases.empty()) as migrated, opened(databases.empty()) as modelled:
        migrations.upgrade(migrated)
        with modelled.write() as tx:
            Base.metadata.create_all(tx)
        assert _describe(migrated) == _describe(modelled)
        assert migrations.check(migrated) == []


def test_a_difference_is_named(empty_database_url: str) -> None:
    with opened(empty_database_url) as database:
        migrations.upgrade(database)
        with database.write() as tx:
            tx.exec_driver_sql("DROP TABLE nodes")
            tx.exec_driver_sql("DROP INDEX ix_sessions_user_id")
            tx.exec_driver_sql("ALTER TABLE users ADD COLUMN shoe_size BIGINT")
            tx.exec_driver_sql("CREATE TABLE shoes (size BIGINT NOT NULL)")
        assert migrations.check(database) == [
            "table nodes is missing",
            "table shoes should not be there",
            "index ix_sessions_user_id is missing",
            "column users.shoe_size should not be there",
        ]


def test_a_missing_check_constraint_is_named(database: storage.Database) -> None:
    """Alembic does not compare them, and a row that contradicts itself is what they are there for."""
    if database.dialect == "sqlite":  # cannot drop a constraint
        change = [
            "PRAGMA writable_schema=ON",
            "UPDATE sqlite_master SET sql = replace(sql, 'ck_users_token_version_positive', 'ck_users_shoe_size')",
            "PRAGMA writable_schema=RESET",
        ]
    else:
        change = ["ALTER TABLE users RENAME CONSTRAINT ck_users_token_version_positive TO ck_users_shoe_size"]
    with database.read() as tx:
        for statement in change:
            tx.exec_driver_sql(statement)
    assert migrations.check(database) == [
        "check ck_users_token_version_positive is missing",
        "check ck_users_shoe_size should not be there",
    ]


def test_a_second_upgrade_changes_nothing(empty_database_url: str) -> None:
    with opened(empty_database_url) as database:
        assert revision.current(database) is None
        assert not revision.is_current(database)
        assert migrations.upgrade(database) is None
        before = _describe(database)
        assert migrations.upgrade(database) == revision.head() == revision.current(database)
        assert revision.is_current(database)
        assert _describe(database) == before


def test_is_current_costs_one_statement(
    database: storage.Database, recording: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    revision.is_current(database)
    with recording() as sent:
        revision.is_current(database)
    assert len(sent) == 1


def test_two_upgrades_at_once_are_one_after_the_other(databases: Databases) -> None:
    """Threads with pools of their own stand for nodes; each of them finds the schema complete when it is done."""
    nodes = 4
    for _ in range(5):
        url, start = databases.empty(), Barrier(nodes)

        def migrate(url: str = url, start: Barrier = start) -> bool:
            with opened(url) as database:
                start.wait(timeout=30)
                migrations.upgrade(database)
                return revision.is_current(database)

        with ThreadPoolExecutor(nodes) as threads:
            done = [threads.submit(migrate) for _ in range(nodes)]
            assert all(one.result(timeout=60) for one in done)
        with opened(url) as database:
            assert migrations.check(database) == []


def test_processes_that_upgrade_at_once_all_succeed(empty_database_url: str) -> None:
    running = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", _UPGRADE, empty_database_url], cwd=ROOT)
        for _ in range(3)
    ]
    assert [one.wait(timeout=60) for one in running] == [0, 0, 0]
    with opened(empty_database_url) as database:
        assert migrations.check(database) == []


def test_a_migration_that_is_killed_leaves_nothing_and_runs_again(empty_database_url: str) -> None:
    killed = subprocess.run(
        [sys.executable, "-W", "error", "-c", _KILLED, empty_database_url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (killed.stdout, killed.returncode) == ("dying\n", -9), killed.stderr
    with opened(empty_database_url) as database:
        assert sqlalchemy.inspect(database.engine).get_table_names() == []
        migrations.upgrade(database)
        assert migrations.check(database) == []


def test_a_schema_of_a_newer_release_is_served_and_left_alone(database: storage.Database) -> None:
    """While new nodes start, those of the release before go on serving; see migrations/script.py.mako."""
    _stamp(database, "9999")
    assert revision.is_current(database)
    assert migrations.upgrade(database) == "9999"
    assert revision.current(database) == "9999"


@pytest.mark.parametrize("foreign", ["d4f1e2a9b3c7", "1", "\N{ARABIC-INDIC DIGIT ONE}" * 4])
def test_a_revision_that_is_none_of_ours_is_refused(database: storage.Database, foreign: str) -> None:
    _stamp(database, foreign)
    assert not revision.is_current(database)
    with pytest.raises(UnknownRevisionError, match="which authserver does not know"):
        migrations.upgrade(database)


def test_migrations_are_named_by_their_revisions() -> None:
    """A server asks the names of the files what its release needs; Alembic asks what is written in them."""
    directory = ScriptDirectory(str(revision.find_directory()))
    assert directory.get_current_head() == revision.head()
    for script in directory.walk_revisions():
        assert Path(script.path).name.startswith(f"{script.revision}_")


def test_there_is_no_way_back(database: storage.Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(revision.find_directory()))
    with pytest.raises(NotImplementedError, match="forward only"):
        command.downgrade(migrations.attach(config, database), "base")
    assert migrations.check(database) == []


def test_an_upgrade_leaves_the_logging_of_the_application_alone(empty_database_url: str) -> None:
    def snapshot() -> tuple[object, ...]:
        root, alembic = logging.getLogger(), logging.getLogger("alembic")
        return root.level, tuple(root.handlers), alembic.level, tuple(alembic.handlers), alembic.disabled

    before = snapshot()
    with opened(empty_database_url) as database:
        migrations.upgrade(database)
    assert snapshot() == before


def test_an_upgrade_prints_nothing(empty_database_url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Commands print their results as JSON; a migration in between would break it."""
    with opened(empty_database_url) as database:
        migrations.upgrade(database)
    assert capfd.readouterr() == ("", "")


def test_the_connection_of_a_migration_serves_no_request(empty_database_url: str) -> None:
    """Its time-outs are off; a request that got it could hang for ever, or leave rows that refer to nothing."""
    with opened(empty_database_url, pool_size=1) as database:
        migrations.upgrade(database)
        questions = {"sqlite": ("PRAGMA foreign_keys", 1), "postgresql": ("SHOW statement_timeout", "4s")}
        question, answer = questions[database.dialect]
        with database.read() as tx:
            assert tx.exec_driver_sql(question).scalar_one() == answer


def test_rows_that_refer_to_nothing_roll_a_migration_back(sqlite_databases: Databases) -> None:
    """SQLite checks foreign keys only at the end of a migration, because tables are copied in between."""
    with opened(sqlite_databases.migrated()) as database:
        orphan = (
            "INSERT INTO sessions (sid, user_id, device_id, device_name, client_id, ip, user_agent, created_at,"
            " expires_at, auth_time, amr, acr) VALUES ('s', 'nobody', 'd', '', 'nothing', '', '', 1, 1, 1, '', '')"
        )
        with pytest.raises(ValueError, match="rows that refer to nothing"), migrations.hold(database) as tx:
            tx.exec_driver_sql(orphan)
        with database.read() as tx:
            assert tx.exec_driver_sql("SELECT count(*) FROM sessions").scalar_one() == 0


def _stamp(database: storage.Database, revision: str) -> None:
    migrations.upgrade(database)
    with database.write() as tx:
        tx.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
