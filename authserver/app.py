"""Assembly of the server: an installation with its HTTP doors, and the background work of a process.

Only this module knows all rooms.
"""

import functools
import os
import platform
from dataclasses import replace
from datetime import timedelta
from email.headerregistry import Address
from pathlib import Path

import structlog

from authserver.assembly import SYSTEM_ENTROPY, build_custody, build_realm, open_database
from authserver.branding.brand import Brand
from authserver.clock import Clock, SystemClock
from authserver.config import Settings, load_settings
from authserver.custody.key_custody import KeyCustody
from authserver.custody.rewrap_keys import report_node
from authserver.custody.rotate_keys import rotate_keys
from authserver.deliveries.files import FileCarrier
from authserver.deliveries.mails import Post
from authserver.deliveries.smtp import SmtpCarrier
from authserver.deliveries.smtp_url import read_smtp_url
from authserver.mail.compose import Composer, UnusableTemplateError
from authserver.protocol.entropy import Entropy, new_id
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.delivery import Share
from authserver.server.logs import configure_logs
from authserver.storage import Database
from authserver.storage.pooler import meets_pooler
from authserver.upkeep.housekeeping import Chore, Housekeeping
from authserver.upkeep.keep_time import Timekeeper
from authserver.upkeep.prune import Pruning, Retention
from authserver.upkeep.prune_clients import ClientPruning
from authserver.upkeep.work_outbox import move_earlier_outbox, work_calls, work_outbox
from authserver.web.application import Application, DoorSettings, create_application
from authserver.web.limits.limits import open_counters
from authserver.web.limits.node_counters import NodeCounters
from authserver.web.pages.rendering import load_templates

_log = structlog.get_logger(__name__)

SENDER_OF_FILES = Address("authserver", "no-reply", "authserver.invalid")
"""The sender of mails that are only written to files. Nobody can reply to it."""

CALLERS = (Share.FIRST_ATTEMPTS, Share.FIRST_ATTEMPTS, Share.REPEATED)
"""The threads of a process that call URLs of clients, each with its share of the calls.

A call takes `TIMEOUT` at most (`authserver/outbound/calls.py`). A client that does not answer delays the others by one
call of one thread; after that, its calls are repeated by another thread.
"""


def create_app(settings: Settings, *, clock: Clock, entropy: Entropy) -> Application:
    """Create the application of an installation. No thread is started, so its keys are never reloaded.

    Args:
        settings: validated settings.
        clock: the source of time; tests pass one that they move.
        entropy: the source of random bytes.

    Raises:
        KeyringError: the keys cannot be used; the message is one line.
        StorageUnavailableError: the database cannot be reached.
    """
    custody = build_custody(settings, open_database(settings), clock=clock, entropy=entropy)
    return create_application(build_realm(settings, custody), _door_settings(settings))


def create_wsgi() -> Application:
    """Create the application for a WSGI server, and start its background work. Call it once in each worker process."""
    settings = load_settings()
    configure_logs(settings.log_format, settings.log_level)
    clock = SystemClock()
    custody = build_custody(settings, open_database(settings), clock=clock, entropy=SYSTEM_ENTROPY)
    realm = build_realm(settings, custody)
    app = create_application(realm, _without_broken_templates(_door_settings(settings)))
    timekeeper = Timekeeper(realm.database, clock)
    Housekeeping(list_chores(settings, realm, custody, timekeeper), clock).start()
    Housekeeping(list_mail_chores(settings, realm, timekeeper), clock, name="mail").start()
    for number, share in enumerate(CALLERS, 1):
        Housekeeping(list_call_chores(realm, timekeeper, share), clock, name=f"calls-{number}").start()
    return app


def list_chores(settings: Settings, realm: Realm, custody: KeyCustody, timekeeper: Timekeeper) -> tuple[Chore, ...]:
    """List the background work of a server process; intervals in seconds."""
    node_id = f"{platform.node()}:{os.getpid()}:{new_id(realm.entropy)[:6]}"
    pruning = Pruning(realm.database, Retention(audit=settings.audit_retention))
    clients = ClientPruning(realm.database)
    chores = [
        Chore("reload_keys", 2, realm.keyring.reload),
        Chore("report_node", 5, lambda: report_node(realm, node_id)),
        Chore("prune", 10, lambda: timekeeper.run(pruning.prune_a_little)),
        Chore("prune_clients", 60, lambda: timekeeper.run(clients.prune_a_little)),
        Chore("prune_feed", 10, lambda: timekeeper.run(realm.feed.prune)),
    ]
    if settings.key_rotation_interval > timedelta(0):
        rotate = functools.partial(rotate_keys, custody, by=Actor("server"))
        chores.append(Chore("rotate_keys", 30, lambda: timekeeper.run(rotate)))
    return tuple(chores)


def list_mail_chores(settings: Settings, realm: Realm, timekeeper: Timekeeper) -> tuple[Chore, ...]:
    """List the work around mail. It has its own thread, so that a slow mail server delays nothing else."""
    # Built when it is first needed, and tried again until it succeeds. `serve` has checked the templates, but they may
    # have been broken since, and a new worker must still serve.
    load_post = functools.cache(lambda: build_post(settings))
    return (
        Chore("work_outbox", 1, lambda: work_outbox(realm, load_post(), timekeeper)),
        Chore("move_earlier_outbox", 10, lambda: move_earlier_outbox(realm)),
    )


def list_call_chores(realm: Realm, timekeeper: Timekeeper, share: Share) -> tuple[Chore, ...]:
    """What one of `CALLERS` does."""
    return (Chore("work_calls", 1, lambda: work_calls(realm, timekeeper, share=share)),)


def build_post(settings: Settings) -> Post:
    """Build the sender of mails: by SMTP, or to files if no server is set.

    Raises:
        UnusableTemplateError: one of the operator's mail templates cannot be used.
    """
    sender = settings.mail_from or SENDER_OF_FILES
    composer = Composer(settings.issuer, sender, settings.home / "templates" / "mail")
    if settings.smtp_url is None:
        return Post(composer, FileCarrier(settings.home / "mail"))
    return Post(composer, SmtpCarrier(read_smtp_url(settings.smtp_url.reveal()), sender.addr_spec))


def try_page_templates(settings: Settings) -> None:
    """Check the operator's page templates.

    Raises:
        UnusableTemplateError: one of them cannot be used.
    """
    load_templates(_page_templates(settings))


def try_counters(settings: Settings, workers: int) -> None:
    """Check that `workers` processes of this node can count sign-ins together.

    Raises:
        UnusableCountersError: they cannot.
    """
    counters = open_counters(settings.limits_url.reveal(), settings.home, SystemClock(), SYSTEM_ENTROPY)
    if isinstance(counters, NodeCounters) and workers > 1:  # a single process can count by itself
        counters.try_out()


def may_lose_prepared_statements(settings: Settings, database: Database) -> bool:
    """Whether statements are prepared although a pooler in front of PostgreSQL may not keep them."""
    return settings.prepared_statements == "on" and meets_pooler(database)


def _door_settings(settings: Settings) -> DoorSettings:
    brand = Brand(
        product_name=settings.product_name,
        accent=settings.accent_colour,
        logo=settings.logo,
        support_url=settings.support_url,
        privacy_url=settings.privacy_url,
        terms_url=settings.terms_url,
        scope_texts=settings.scope_texts,
    )
    limits_url = settings.limits_url.reveal()
    return DoorSettings(
        settings.login_limits,
        limits_url,
        settings.home,
        trusted_proxies=settings.trusted_proxies,
        brand=brand,
        page_templates=_page_templates(settings),
        threads=settings.threads,
        access_log=settings.access_log == "on",
    )


def _without_broken_templates(doors: DoorSettings) -> DoorSettings:
    """Replace the operator's page templates by our own if they cannot be used.

    They may have been broken since `serve` checked them, and people must still be able to sign in.
    """
    try:
        load_templates(doors.page_templates)
    except UnusableTemplateError as error:
        _log.error("page_templates_unusable", reason=str(error))
        return replace(doors, page_templates=None)
    return doors


def _page_templates(settings: Settings) -> Path:
    return settings.home / "templates" / "pages"
