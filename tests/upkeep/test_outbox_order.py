"""Which mail goes when: the urgent first, and a recipient who is not served now holds up nobody. Over real SMTP."""

import dataclasses
from datetime import timedelta

import pytest

from authserver.account.register import ask_confirmation, register
from authserver.account.reset_password import ask_reset
from authserver.deliveries import smtp
from authserver.deliveries.kind import PAUSES
from authserver.mail import requests
from authserver.mail.compose import TEMPLATES
from authserver.mail.urgency import rank
from authserver.protocol.secret import Secret
from authserver.realm import Realm, Registration
from authserver.records.delivery import Rank
from authserver.upkeep.work_outbox import work_outbox
from tests.support.people.outbox import by_smtp, count_rows, granting_nothing, tell
from tests.support.wire.smtp import SmtpSink
from tests.support.world.clock import ManualClock
from tests.support.world.realm import EMAIL, PASSWORD, add_user

MOMENT = timedelta(seconds=1)
CROWD = 40


@pytest.fixture
def user_id(realm: Realm) -> str:
    return add_user(realm)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is too long for a step."""
    monkeypatch.setattr(smtp, "_STEP_SECONDS", 0.5)


def sign_up(realm: Realm, *addresses: str) -> None:
    """Let strangers register with these addresses."""
    careful = dataclasses.replace(realm, registration=Registration(open=True, require_verified_email=True))
    for address in addresses:
        register(careful, email=address, password=Secret(PASSWORD), name="")


def recipients(sink: SmtpSink) -> list[str]:
    """Those who got a mail, in order."""
    return [to for _, (to,) in sink.envelopes]


def test_strangers_whose_addresses_are_refused_for_now_delay_nobody(
    realm: Realm, user_id: str, mail_sink: SmtpSink
) -> None:
    """Forty anonymous registrations with addresses that answer 4xx; then a reset, and somebody who is served."""
    refused = [f"stranger-{number}@refused.test" for number in range(CROWD)]
    mail_sink.refused = dict.fromkeys(refused, "451 4.7.1 greylisted")
    sign_up(realm, *refused, "honest@served.test")
    ask_reset(realm, EMAIL)
    work_outbox(realm, by_smtp(mail_sink))
    assert mail_sink.tried[0] == EMAIL
    assert recipients(mail_sink) == [EMAIL, "honest@served.test"]
    assert sorted(mail_sink.tried) == sorted([*refused, EMAIL, "honest@served.test"])
    assert count_rows(realm) == CROWD


def test_the_urgent_goes_before_what_was_queued_earlier(
    realm: Realm, user_id: str, clock: ManualClock, mail_sink: SmtpSink
) -> None:
    sign_up(realm, "new@example.test")
    clock.advance(MOMENT)
    ask_confirmation(realm, "other@example.test")
    ask_reset(realm, EMAIL)
    clock.advance(MOMENT)
    tell(realm, user_id)
    work_outbox(realm, by_smtp(mail_sink))
    assert recipients(mail_sink) == [EMAIL, EMAIL, "new@example.test"]


def test_only_what_strangers_cause_by_registering_waits() -> None:
    waiting = {name for name in TEMPLATES if rank(name) == Rank.ROUTINE}
    assert waiting == {"confirm_email", "confirm_account", "register_taken"}
    assert requests.REQUESTS == {
        requests.RESET_REQUEST: Rank.URGENT,
        requests.REGISTER_REQUEST: Rank.ROUTINE,
        requests.RESEND_REQUEST: Rank.ROUTINE,
    }


def test_the_mails_of_a_refused_recipient_wait_together_and_keep_their_order(
    realm: Realm, user_id: str, clock: ManualClock, mail_sink: SmtpSink
) -> None:
    tell(realm, user_id)
    clock.advance(MOMENT)
    tell(realm, user_id)
    mail_sink.refused[EMAIL] = "452 4.2.2 mailbox full"
    work_outbox(realm, by_smtp(mail_sink))
    assert mail_sink.tried == [EMAIL]
    mail_sink.refused.clear()
    assert work_outbox(realm, by_smtp(mail_sink)) == 0
    clock.advance(PAUSES[0])
    assert work_outbox(realm, by_smtp(mail_sink)) == 2
    first, second = (message["Date"].datetime for message in mail_sink.messages)
    assert first < second


def test_a_domain_that_is_slow_costs_one_wait_and_delays_nothing_urgent(
    realm: Realm, clock: ManualClock, mail_sink: SmtpSink, impatient: None
) -> None:
    """Its other registrations are left for a minute, those elsewhere are not; a reset there is tried all the same."""
    add_user(realm, "owner@slow.test")
    slow = [f"stranger-{number}@slow.test" for number in range(5)]
    mail_sink.slow = set(slow)
    sign_up(realm, *slow, "honest@slow.test.example")
    clock.advance(MOMENT)  # all requests come before the first mail
    work_outbox(realm, by_smtp(mail_sink))
    ask_reset(realm, "owner@slow.test")
    work_outbox(realm, by_smtp(mail_sink))
    assert recipients(mail_sink) == ["honest@slow.test.example", "owner@slow.test"]
    assert len(set(mail_sink.tried) & set(slow)) == 1
    mail_sink.slow.clear()
    clock.advance(PAUSES[0])
    work_outbox(realm, by_smtp(mail_sink))
    assert count_rows(realm) == 0


def test_a_mail_that_fails_for_itself_ends_no_turn(realm: Realm, user_id: str, mail_sink: SmtpSink) -> None:
    """A request that cannot be answered, as a template that cannot be rendered: the next mail is worked on at once."""
    ask_reset(realm, EMAIL)
    tell(realm, user_id)
    assert work_outbox(granting_nothing(realm), by_smtp(mail_sink)) == 2
    assert len(mail_sink.messages) == 1
