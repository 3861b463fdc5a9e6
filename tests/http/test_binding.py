"""The Flask-SQLAlchemy and Flask-Migrate binding: one engine, and developers' commands that need no other one."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy
from click.testing import CliRunner
from flask import Flask

from authserver import storage
from authserver.cli.main import authserver
from authserver.storage import revision
from authserver.storage.schema import Base, User
from authserver.web.binding import bind
from authserver.web.migrating import add_migrate_commands


@pytest.fixture
def app(database: storage.Database) -> Flask:
    """A bare application with the binding, as `authserver.development` sets it up."""
    app = Flask("tests")
    bind(app, database)
    add_migrate_commands(app)
    return app


def test_flask_sqlalchemy_hands_out_the_engine_of_storage(app: Flask, database: storage.Database) -> None:
    """A second pool would double the connections and miss the settings that make commits durable."""
    bound = app.extensions["sqlalchemy"]
    with app.app_context():
        assert bound.engine is database.engine
        assert bound.metadata is Base.metadata
        assert bound.session.scalars(sqlalchemy.select(User)).all() == []


def test_two_applications_of_one_process_keep_their_databases(database: storage.Database) -> None:
    one, other = Flask("one"), Flask("other")
    elsewhere = storage.open("sqlite:////nowhere/at/all.sqlite")
    bind(one, database)
    bind(other, elsewhere)
    with one.app_context():
        assert one.extensions["sqlalchemy"].engine is database.engine
    with other.app_context():
        assert other.extensions["sqlalchemy"].engine is elsewhere.engine


def test_the_password_of_the_database_is_not_in_the_configuration_as_text() -> None:
    """`app.config` is printed by debuggers and error trackers."""
    database = storage.open("postgresql://user:hush@localhost/nothing")
    app = Flask("tests")
    bind(app, database)
    assert "hush" not in repr(dict(app.config))
    assert "hush" not in repr(app.extensions["sqlalchemy"])


@pytest.mark.parametrize("command", [["current"], ["check"], ["upgrade"], ["history"], ["heads"]])
def test_the_db_commands_of_flask_work(app: Flask, command: list[str]) -> None:
    result = app.test_cli_runner().invoke(args=["db", *command])
    assert result.exit_code == 0, result.output


def test_a_new_revision_gets_the_next_number(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes compare revisions by order; a random name, which Alembic would give, has none."""
    folder = tmp_path / "migrations"
    shutil.copytree(revision.find_directory(), folder, ignore=shutil.ignore_patterns("__pycache__"))
    result = app.test_cli_runner().invoke(args=["db", "revision", "--autogenerate", "-m", "More", "-d", str(folder)])
    assert result.exit_code == 0, result.output
    written = (folder / "versions" / f"{revision.number_after(revision.head())}_more.py").read_text()
    assert f"down_revision = '{revision.head()}'" in written
    assert 'raise NotImplementedError("migrations go forward only' in written
    compile(written, "more.py", "exec")


def test_flask_finds_the_commands_of_an_installation(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHSERVER_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("AUTHSERVER_KEYS_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("AUTHSERVER_DATABASE_URL", database_url)
    assert CliRunner().invoke(authserver, ["init"]).exit_code == 0
    command = [sys.executable, "-m", "flask", "--app", "authserver.development", "db", "current"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout == f"{revision.head()} (head)\n"
