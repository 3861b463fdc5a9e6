"""Use cases of the outbox worker: list the kinds of deliveries, and process the deliveries that are due."""

from authserver.account.answer_requests import MailRequests
from authserver.deliveries.kind import Kind
from authserver.deliveries.mails import Mails, Post
from authserver.deliveries.outbox import Outbox
from authserver.realm import Realm
from authserver.storage import earlier_outbox
from authserver.trusted_time import Doubted
from authserver.upkeep.keep_time import Timekeeper


def list_kinds(realm: Realm, post: Post, timekeeper: Timekeeper | None = None) -> tuple[Kind, ...]:
    """List the kinds of deliveries. A new kind is one file in `authserver/deliveries/`, and one line here."""

    def doubts_clock() -> bool:
        return timekeeper is not None and isinstance(timekeeper.look(), Doubted)

    return (
        Mails(post, realm.database, realm.keyring, realm.clock, doubts_clock),
        MailRequests(realm),
    )


def work_outbox(realm: Realm, post: Post, timekeeper: Timekeeper | None = None, *, most: int = 100) -> int:
    """Process due deliveries, up to `most`; return how many. See `Outbox.work`."""
    outbox = Outbox(realm.database, realm.clock, realm.entropy, list_kinds(realm, post, timekeeper))
    return outbox.work(most=most)


def move_earlier_outbox(realm: Realm) -> None:
    """Move mails that nodes of release 0.1 left behind; see `authserver/storage/earlier_outbox.py`."""
    now = realm.clock.now()
    with realm.database.read() as tx:
        if not earlier_outbox.is_any_left(tx, now):
            return
    with realm.database.write() as tx:
        earlier_outbox.move_some(tx, now)
