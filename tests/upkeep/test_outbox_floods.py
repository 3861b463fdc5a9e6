"""What strangers can have mailed to somebody is bounded, and what is left over goes."""

import dataclasses
from datetime import datetime, timedelta
from email.message import EmailMessage

import pytest

from authserver.account.answer_requests import REGISTRATION_WAITS
from authserver.account.register import ask_confirmation, register
from authserver.account.reset_password import ask_reset
from authserver.deliveries.kind import PAUSES
from authserver.deliveries.outcome import Failed
from authserver.mail.requests import REGISTER_REQUEST, queue_request
from authserver.protocol.secret import Secret
from authserver.realm import Realm, Registration
from authserver.records.link import LinkPurpose
from authserver.storage.schema import MailLink, PendingRegistration
from authserver.trusted_time import Trusted
from authserver.upkeep.prune import Retention, prune_all
from authserver.upkeep.work_outbox import work_outbox
from tests.support.people.mail import deliver_all
from tests.support.people.outbox import Troubled, count_rows, is_reset_by, post, tell
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

MOMENT = timedelta(seconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def user_id(realm: Realm) -> str:
    return add_user(realm)


def test_a_stranger_who_asks_all_day_neither_floods_the_mailbox_nor_kills_the_owners_link(
    realm: Realm, user_id: str, clock: ManualClock
) -> None:
    """At most 3 mails in any hour and 17 in any day, whatever is asked for; the last link works until it expires."""

    def ask() -> list[EmailMessage]:
        ask_reset(realm, EMAIL)
        ask_confirmation(realm, EMAIL)
        with realm.database.write() as tx:
            parameters = {"name": "Eve", "password_hash": "none"}
            queue_request(tx, REGISTER_REQUEST, EMAIL, parameters, now=clock.now(), entropy=realm.entropy)
        return deliver_all(realm)

    arrivals: list[datetime] = []
    for _ in range((DAY + 6 * HOUR) // (12 * MINUTE)):
        arrivals += [clock.now() for _ in ask()]
        clock.advance(12 * MINUTE)
    for span, bound in ((HOUR, 3), (DAY, 17)):
        assert max(sum(at < other <= at + span for other in arrivals) for at in arrivals) <= bound
    while not (mails := ask()):
        clock.advance(12 * MINUTE)
    for _ in range(7):
        clock.advance(2 * MINUTE)
        ask()
    assert is_reset_by(realm, mails[0])


def test_whoever_asks_for_confirmations_all_day_does_not_flood_the_mailbox(realm: Realm, clock: ManualClock) -> None:
    careful = dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True))
    register(careful, email="new@example.test", password=Secret(PASSWORD), name="New")
    messages = []
    for _ in range(DAY // (20 * MINUTE)):
        ask_confirmation(careful, "new@example.test")
        messages += deliver_all(realm)
        clock.advance(20 * MINUTE)
    assert 6 <= len(messages) <= 17


def test_whoever_registers_one_address_all_day_does_not_flood_the_mailbox(realm: Realm, clock: ManualClock) -> None:
    """Each time anew, and each ends an older registration: what has ended counts, and goes a day later."""
    careful = dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True))
    messages = []
    for _ in range(DAY // (20 * MINUTE)):
        register(careful, email="new@example.test", password=Secret(PASSWORD), name="New")
        messages += deliver_all(realm)
        clock.advance(20 * MINUTE)
    assert 6 <= len(messages) <= 17
    clock.advance(REGISTRATION_WAITS + DAY)
    assert prune_all(realm.database, Trusted(clock.now()), Retention(audit=365 * DAY)).registrations == len(messages)
    assert count_rows(realm, PendingRegistration) == 0


def test_old_links_and_left_mails_are_pruned(realm: Realm, user_id: str, clock: ManualClock) -> None:
    """A link stays for a while after it expired; a mail that is waited for is never touched."""
    retention = Retention(audit=365 * DAY)
    tell(realm, user_id)
    work_outbox(realm, post(Troubled(Failed("down"))))
    clock.advance(retention.outbox)
    pruned = prune_all(realm.database, Trusted(clock.now()), retention)
    assert (pruned.links, pruned.mails) == (0, 0)
    clock.advance(PAUSES[0] + MOMENT)
    assert prune_all(realm.database, Trusted(clock.now()), retention).mails == 1
    clock.advance(LinkPurpose.NOT_ME.lifetime + retention.ends)
    assert prune_all(realm.database, Trusted(clock.now()), retention).links == 1
    assert (count_rows(realm), count_rows(realm, MailLink)) == (0, 0)
