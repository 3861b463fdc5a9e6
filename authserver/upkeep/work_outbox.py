"""Use cases of the outbox worker: list the kinds of deliveries, and process the deliveries that are due."""

from collections.abc import Callable

from authserver.account.answer_requests import MailRequests
from authserver.authorization.logout_tokens import LogoutTokens
from authserver.deliveries.kind import Kind
from authserver.deliveries.mails import Mails, Post
from authserver.deliveries.outbox import Outbox
from authserver.realm import Realm
from authserver.records.delivery import Share
from authserver.storage import earlier_outbox
from authserver.trusted_time import Doubted
from authserver.upkeep.keep_time import Timekeeper


def list_kinds(realm: Realm, post: Post, timekeeper: Timekeeper | None = None) -> tuple[Kind, ...]:
    """List the kinds of deliveries. A new kind is one file, and one line here or in `list_calls`."""
    return (
        *_list_mails(realm, post, timekeeper),
        *list_calls(realm, timekeeper),
    )


def list_calls(realm: Realm, timekeeper: Timekeeper | None = None) -> tuple[Kind, ...]:
    """List the kinds whose deliveries are calls to URLs of clients."""
    return (LogoutTokens(realm, _doubt(timekeeper)),)


def work_outbox(realm: Realm, post: Post, timekeeper: Timekeeper | None = None, *, most: int = 100) -> int:
    """Process due mails and requests for mails, up to `most`; return how many. See `Outbox.work`."""
    outbox = Outbox(realm.database, realm.clock, realm.entropy, _list_mails(realm, post, timekeeper))
    return outbox.work(most=most)


def work_calls(realm: Realm, timekeeper: Timekeeper | None = None, *, share: Share = Share.ALL, most: int = 100) -> int:
    """Process due calls, this `share` of them and up to `most`; return how many. See `Outbox.work`."""
    outbox = Outbox(realm.database, realm.clock, realm.entropy, list_calls(realm, timekeeper), share)
    return outbox.work(most=most)


def _list_mails(realm: Realm, post: Post, timekeeper: Timekeeper | None) -> tuple[Kind, ...]:
    return (
        Mails(post, realm.database, realm.keyring, realm.clock, _doubt(timekeeper)),
        MailRequests(realm),
    )


def _doubt(timekeeper: Timekeeper | None) -> Callable[[], bool]:
    return lambda: timekeeper is not None and isinstance(timekeeper.look(), Doubted)


def move_earlier_outbox(realm: Realm) -> None:
    """Move mails that nodes of release 0.1 left behind; see `authserver/storage/earlier_outbox.py`."""
    now = realm.clock.now()
    with realm.database.read() as tx:
        if not earlier_outbox.is_any_left(tx, now):
            return
    with realm.database.write() as tx:
        earlier_outbox.move_some(tx, now)
