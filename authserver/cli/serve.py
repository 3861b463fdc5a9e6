"""`authserver serve`: runs the server. It checks everything it can before the first worker starts."""

import os
import socket
from collections.abc import Iterator
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import click
import structlog

from authserver.app import build_post, create_wsgi, may_lose_prepared_statements, try_counters, try_page_templates
from authserver.cli.context import Context
from authserver.config import Settings
from authserver.server.listening import PortTakenError, Serving, listen
from authserver.server.logs import configure_logs, is_json
from authserver.server.serving import serve as serve_until_told
from authserver.web.edge.places import share_out

_WARN_OF_POOLER: Final = (
    "there is a pooler in front of PostgreSQL; if it pools transactions and does not support prepared statements, set"
    " AUTHSERVER_PREPARED_STATEMENTS=off"
)
_log = structlog.get_logger(__name__)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 512), help="Number of processes. Default: AUTHSERVER_WORKERS.")
@click.option("--migrate", is_flag=True, help="First upgrade the database to the schema of this release.")
@click.pass_obj
def serve(context: Context, *, host: str, port: int, workers: int | None, migrate: bool) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests in flight.

    Workers that die are replaced. TLS is a proxy's job: see docs/deployment.md.
    """
    settings = context.settings
    configure_logs(settings.log_format, settings.log_level)
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
        raise click.ClickException(f"{error}; choose another port with --port") from None
    for listener in listeners:
        click.get_current_context().call_on_close(listener.close)
    if migrate:
        context.schema.upgrade()
    context.realm.keyring.current.signing_key  # noqa: B018 - raises a one-line error if no key can sign
    build_post(settings)  # raises a one-line error if a mail template cannot be used
    try_page_templates(settings)
    try_counters(settings, serving.workers)  # raises a one-line error if sign-ins cannot be counted
    through_pooler = may_lose_prepared_statements(settings, context.schema.database)
    # If a connection pool crossed the fork, a request could get the rows of another one.
    context.close()
    announce = partial(_announce, settings, serving, through_pooler=through_pooler)
    serve_until_told(listeners, serving, create_wsgi, announce)


def choose_workers(settings: Settings) -> int:
    """Choose the number of workers: that of the settings, else one for SQLite, one per core for PostgreSQL.

    SQLite allows only one writer at a time.
    """
    if settings.workers is not None:
        return settings.workers
    return 1 if settings.uses_sqlite else _count_cores()


def _announce(settings: Settings, serving: Serving, *, through_pooler: bool) -> None:
    """Say that the server is ready, and warn of doubtful settings: as log lines if the log is JSON, for collectors."""
    address = _at(serving.host, serving.port)
    doubts = list(_list_doubts(settings, serving, through_pooler=through_pooler))
    if is_json(settings.log_format):
        _log.info("serving", issuer=settings.issuer, address=address, workers=serving.workers)
        for event, said in doubts:
            _log.warning(event, said=said)
    else:
        workers = _count(serving.workers, "worker")
        click.echo(f"authserver: serving {settings.issuer} on {address}, {workers}", err=True)
        for _, said in doubts:
            click.echo(f"authserver: {said}", err=True)


def _list_doubts(settings: Settings, serving: Serving, *, through_pooler: bool) -> Iterator[tuple[str, str]]:
    """List settings that the operator may not have intended: the name of a log event, and a sentence."""
    if settings.smtp_url is None:
        waits = settings.registration == "open" and settings.require_verified_email
        yield (
            "mail_goes_to_files",
            (
                f"AUTHSERVER_SMTP_URL is not set: mails are not sent, but written to {settings.home / 'mail'}"
                f"{'; new users cannot sign in before the link in their mail is opened' if waits else ''}"
            ),
        )
    issuer = urlsplit(settings.issuer)
    # An https issuer has a proxy in front, on its own port. An http issuer is on the loopback, without a proxy.
    if issuer.scheme == "http" and (issuer.port or 80) != serving.port:
        yield (
            "port_is_not_of_issuer",
            (
                f"port {serving.port} is not the port of AUTHSERVER_ISSUER={settings.issuer}, which clients and mailed"
                " links use"
            ),
        )
    if serving.host == "::" and not socket.has_dualstack_ipv6():
        yield "one_family", "on this system :: serves only IPv6; to serve IPv4 as well, use a proxy"
    if through_pooler:
        yield "pooler", _WARN_OF_POOLER


def _count_cores() -> int:
    # The cores that this process may use, if the system tells: those of its container, not of the machine.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _at(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
