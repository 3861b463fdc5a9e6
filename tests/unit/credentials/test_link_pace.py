"""How often links are mailed: against strangers who ask whenever they like."""

from datetime import datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from authserver.credentials.link_pace import DAY, HOUR, SPARE, Mailed, choose_lifetime
from authserver.records.link import LinkPurpose
from tests.support.world.clock import START

MINUTE = timedelta(minutes=1)
RESET = LinkPurpose.RESET_PASSWORD

pauses = st.lists(st.timedeltas(timedelta(), 3 * HOUR), max_size=80)


def _ask(purpose: LinkPurpose, pauses: list[timedelta]) -> tuple[list[Mailed], list[datetime]]:
    """What was mailed when somebody asked after each of these pauses, and when they got no mail."""
    now = START
    mailed: list[Mailed] = []
    refused: list[datetime] = []
    for pause in pauses:
        now += pause
        recent = [link for link in mailed if link.issued_at > now - DAY]
        lifetime = choose_lifetime(purpose, recent, now)
        if lifetime is None:
            refused.append(now)
        else:
            mailed.append(Mailed(now, now + lifetime))
    return mailed, refused


def _works(link: Mailed, at: datetime) -> bool:
    return link.works_until is not None and link.issued_at <= at < link.works_until


@given(st.sampled_from([RESET, LinkPurpose.CONFIRM_EMAIL]), pauses)
@example(RESET, [MINUTE] * 300)
@example(RESET, [20 * MINUTE] * 300)
@example(LinkPurpose.CONFIRM_EMAIL, [MINUTE] * 300)
def test_no_request_leaves_the_owner_without_a_link_and_no_mailbox_is_flooded(
    purpose: LinkPurpose, pauses: list[timedelta]
) -> None:
    """Whoever gets no mail has one already, and time to use its link. At most 3 mails in an hour, 17 in a day."""
    mailed, refused = _ask(purpose, pauses)
    for at in refused:
        newest = mailed[sum(link.issued_at <= at for link in mailed) - 1]
        assert _works(newest, at + SPARE - timedelta(microseconds=1))
    for span, bound in ((HOUR, 3), (DAY, 17)):
        assert all(
            sum(at.issued_at <= other.issued_at < at.issued_at + span for other in mailed) <= bound for at in mailed
        )
    if purpose is RESET:
        assert all(sum(_works(other, link.issued_at) for other in mailed) <= 3 for link in mailed)


def test_who_asks_now_and_then_gets_a_link_that_works_for_the_usual_time() -> None:
    assert choose_lifetime(RESET, [], START) == RESET.lifetime
    assert choose_lifetime(RESET, [Mailed(START, START + RESET.lifetime)], START + 5 * MINUTE) == RESET.lifetime


def test_where_every_link_has_ended_there_is_another_one() -> None:
    """One use ends all: the owner who forgets the new password at once is not told to wait for two hours."""
    ended = [Mailed(START + n * MINUTE, None) for n in range(10)]
    assert choose_lifetime(RESET, ended, START + 10 * MINUTE) == 2 * HOUR + SPARE
