"""Templates of pages that are an operator's own, at a server as he runs it."""

from pathlib import Path

import pytest

from tests.support.wire.http import HttpClient
from tests.support.world.databases import SqliteDatabases
from tests.support.world.processes import wait_until
from tests.support.world.server import Installation, install, serving


@pytest.fixture
def installation(tmp_path: Path, sqlite_databases: SqliteDatabases) -> Installation:
    return install(tmp_path, sqlite_databases.empty(), PRODUCT_NAME="Example")


@pytest.fixture
def template(installation: Installation) -> Path:
    """The file that takes the place of the page for forgotten passwords."""
    folder = installation.folder / "var" / "templates" / "pages"
    folder.mkdir(parents=True)
    return folder / "forgot.html"


def read(installation: Installation) -> str:
    with HttpClient(installation.port) as client:
        return client.get("/forgot").body.decode()


def test_a_template_that_is_broken_keeps_the_server_from_starting(installation: Installation, template: Path) -> None:
    template.write_text("{{ csrf_field() }}{{ emial }}")
    refused = installation.run("serve", "--port", str(installation.port))
    assert (refused.returncode, refused.stderr) == (
        1,
        "Error: the page template forgot.html cannot be used: there is no emial in it\n",
    )


def test_a_template_that_is_broken_later_keeps_nobody_out(installation: Installation, template: Path) -> None:
    """A worker that begins after it was broken shows our own page, and says so in the log."""
    template.write_text("{{ csrf_field() }}{{ brand.product_name }} helps")
    with serving(installation, workers=1) as server:
        assert read(installation).endswith("Example helps")
        template.write_text("{{ csrf_field() }}{{ emial }}")
        killed = server.kill_worker()
        wait_until(lambda: server.worker_pids() not in ([], [killed]), "another worker")
        assert "Forgot password?" in read(installation)
        assert "page_templates_unusable" in server.log
