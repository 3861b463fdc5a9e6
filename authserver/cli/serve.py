"""`authserver serve`: everything that could go wrong is found out before the first worker starts."""

import os
import socket
from typing import Final

import click

from authserver.app import build_post, create_wsgi, try_counters, try_page_templates
from authserver.cli.context import Context
from authserver.cli.serving import PortTakenError, Serving, listen
from authserver.cli.serving import serve as serve_until_told
from authserver.config import Settings
from authserver.storage.pooler import meets_pooler
from authserver.web.crowd import share_out

_WARN_OF_POOLER: Final = (
    "authserver: a pooler stands before PostgreSQL; if it pools transactions and follows no prepared statements, set"
    " AUTHSERVER_PREPARED_STATEMENTS=off"
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 512), help="Processes; AUTHSERVER_WORKERS says the default.")
@click.option("--migrate", is_flag=True, help="First bring the database to the schema of this release.")
@click.pass_obj
def serve(context: Context, *, host: str, port: int, workers: int | None, migrate: bool) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests in flight.

    Workers that die are replaced. TLS is a proxy's job: see docs/deployment.md.
    """
    settings = context.settings
    serving = Serving(
        host,
        port,
        workers or choose_workers(settings),
        share_out(settings.threads).threads,
        int(settings.keep_alive.total_seconds()),
    )
    try:
        listeners = listen(serving)
    except PortTakenError as error:
        raise click.ClickException(f"{error}; choose another one with --port") from None
    for listener in listeners:
        click.get_current_context().call_on_close(listener.close)
    if migrate:
        from authserver.storage import migrations

        migrations.upgrade(context.database)
    context.realm.keyring.current.signing_key  # noqa: B018 - raises, in one line, when no key can sign
    build_post(settings)  # raises, in one line, when a mail template cannot be used
    try_page_templates(settings)
    try_counters(settings, serving.workers)  # raises, in one line, when sign-ins cannot be counted
    through_pooler = settings.prepared_statements == "on" and meets_pooler(context.database)
    # A pool that crosses a fork gives one request the rows of another.
    context.close()
    announcement = f"authserver: serving {settings.issuer} on {_at(host, port)}, {_count(serving.workers, 'worker')}"
    if host == "::" and not socket.has_dualstack_ipv6():
        announcement += "\nauthserver: this system serves IPv6 alone at ::; for both families use a proxy"
    if settings.smtp_url is None:
        announcement += f"\n{_warn_of_files(settings)}"
    if through_pooler:
        announcement += f"\n{_WARN_OF_POOLER}"
    serve_until_told(listeners, serving, create_wsgi, lambda: click.echo(announcement, err=True))


def choose_workers(settings: Settings) -> int:
    """As many as set; else one for SQLite, which has one writer at a time, and one per core for PostgreSQL."""
    if settings.workers is not None:
        return settings.workers
    return 1 if settings.uses_sqlite else _count_cores()


def _warn_of_files(settings: Settings) -> str:
    waits = settings.registration == "open" and settings.require_verified_email
    return f"authserver: without AUTHSERVER_SMTP_URL no mail is sent, but written to {settings.home / 'mail'}" + (
        "; whoever registers waits for the link in it" if waits else ""
    )


def _count_cores() -> int:
    # What this process may use, where the system tells: a container's share and not the machine's.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _at(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
