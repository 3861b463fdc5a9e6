"""The revocation policy: the default table, overrides, and rows that cannot work."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.credentials.events import EVENTS, CredentialEvent, SignedOut
from authserver.credentials.events.base import KeyEvent, UserEvent
from authserver.revocation.policy import Mode, PolicyRow, Reach, RevocationPolicy, RevocationPolicyError


@dataclass(frozen=True, slots=True)
class _Changed(UserEvent):
    """An event about a user whose row settings may change in every respect."""

    name: ClassVar[str] = "changed"
    POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.OTHERS, bump=True)
    other_reaches: ClassVar[frozenset[Reach]] = frozenset(Reach)
    adjustable: ClassVar[frozenset[str]] = frozenset({"mode", "bump", "renew_current", "client_may_choose", "notify"})


def _problems(overrides: dict[str, dict[str, object]], *more: type[CredentialEvent]) -> tuple[str, ...]:
    with pytest.raises(RevocationPolicyError) as caught:
        RevocationPolicy(overrides, (*EVENTS, *more))
    return caught.value.problems


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("password_rehashed", PolicyRow(reach=Reach.NONE)),
        ("password_set_by_admin", PolicyRow(reach=Reach.ALL, bump=True, notify=True)),
        ("signed_out", PolicyRow(reach=Reach.THIS_SESSION)),
        ("signed_out_everywhere", PolicyRow(reach=Reach.ALL, bump=True)),
        ("signed_out_elsewhere", PolicyRow(reach=Reach.OTHERS)),
        ("session_ended_by_user", PolicyRow(reach=Reach.THIS_SESSION)),
        ("session_ended_by_admin", PolicyRow(reach=Reach.THIS_SESSION)),
        ("refresh_token_reused", PolicyRow(reach=Reach.THIS_SESSION, notify=True)),
        ("client_disabled", PolicyRow(reach=Reach.THIS_CLIENT)),
        ("signing_key_compromised", PolicyRow(reach=Reach.NONE)),
    ],
)
def test_the_default_table(name: str, row: PolicyRow) -> None:
    """Everything that ends, ends hard; a re-hash ends nothing and bumps nothing (cheat sheet "Password storage")."""
    assert RevocationPolicy().row(name) == row
    assert row.mode is Mode.HARD


def test_every_event_has_a_row_in_the_order_of_the_events() -> None:
    assert list(RevocationPolicy().rows) == [event.name for event in EVENTS]


def test_a_row_is_found_by_event_by_class_and_by_name() -> None:
    policy = RevocationPolicy()
    assert policy.row(SignedOut("u", "s")) is policy.row(SignedOut) is policy.row("signed_out")


def test_an_unknown_event_has_no_row() -> None:
    """Fail closed: no row means no guess."""
    with pytest.raises(KeyError):
        RevocationPolicy().row("coffee_spilled")


def test_an_override_changes_what_it_names_and_nothing_else() -> None:
    policy = RevocationPolicy({"refresh_token_reused": {"reach": "all", "bump": True}})
    assert policy.row("refresh_token_reused") == PolicyRow(reach=Reach.ALL, bump=True, notify=True)
    assert policy.row("signed_out") == SignedOut.POLICY


def test_all_problems_are_reported_at_once() -> None:
    assert _problems(
        {
            "coffee_spilled": {"mode": "soft"},
            "signed_out": {"mode": "gentle", "raech": "all"},
            "client_disabled": {"bump": True},
        }
    ) == (
        "There is no credential event 'coffee_spilled'.",
        "signed_out: mode must be one of hard, soft, not 'gentle'.",
        "signed_out: 'raech' is not one of reach, mode, bump, renew_current, client_may_choose, spared, notify.",
        "client_disabled: bump needs a user, and this event has none.",
    )


@pytest.mark.parametrize(
    ("event", "change", "problem"),
    [
        ("signed_out", {"reach": "none"}, "reach cannot be none, only all, this_session."),
        ("refresh_token_reused", {"reach": "none"}, "reach cannot be none, only all, this_session."),
        ("client_disabled", {"reach": "none"}, "reach cannot be none, only this_client."),
        ("password_rehashed", {"bump": True}, "bump cannot be changed; it is always false."),
        ("signed_out_elsewhere", {"renew_current": True}, "renew_current cannot be changed; it is always false."),
        ("changed", {"reach": "this_session"}, "reach this_session needs an event that names a sid."),
        ("changed", {"reach": "this_client"}, "reach this_client needs an event that names a client_id."),
        (
            "changed",
            {"reach": "all", "renew_current": True},
            "renew_current needs a current session that continues, and reach all may end it.",
        ),
        (
            "changed",
            {"reach": "none", "client_may_choose": True},
            "client_may_choose spares the other devices, so reach must be others, not none.",
        ),
    ],
)
def test_a_row_that_cannot_work_is_refused(event: str, change: dict[str, object], problem: str) -> None:
    assert _problems({event: change}, _Changed) == (f"{event}: {problem}",)


@pytest.mark.parametrize("value", [1, "true", None, [], "yes"])
def test_a_flag_is_a_boolean_and_nothing_like_it(value: object) -> None:
    problems = _problems({"refresh_token_reused": {"bump": value}})
    assert problems == (f"refresh_token_reused: bump must be one of false, true, not {value!r}.",)


def test_the_default_row_of_a_new_event_is_checked_too() -> None:
    @dataclass(frozen=True, slots=True)
    class Wrong(KeyEvent):
        name: ClassVar[str] = "wrong"
        POLICY: ClassVar[PolicyRow] = PolicyRow(reach=Reach.ALL, bump=True, renew_current=True, notify=True)

    assert _problems({}, Wrong) == (
        "wrong: reach all needs an event that names a user_id.",
        "wrong: bump needs a user, and this event has none.",
        "wrong: renew_current needs a user, and this event has none.",
        "wrong: renew_current needs a current session that continues, and reach all may end it.",
        "wrong: notify needs a user to write to, and this event has none.",
    )


@given(
    st.dictionaries(
        st.sampled_from([event.name for event in EVENTS]),
        st.fixed_dictionaries(
            {},
            optional={
                "reach": st.sampled_from([*Reach, "nowhere"]),
                "mode": st.sampled_from([*Mode, "gentle"]),
                "bump": st.booleans(),
                "renew_current": st.booleans(),
                "client_may_choose": st.booleans(),
                "notify": st.booleans(),
            },
        ),
    )
)
def test_no_override_makes_an_event_harmless(overrides: dict[str, dict[str, object]]) -> None:
    """Whatever settings say, either it is refused or each ending still ends what the event names."""
    try:
        policy = RevocationPolicy(overrides)
    except RevocationPolicyError as error:
        assert error.problems  # noqa: PT017 - refusing is one of the two good outcomes
        return
    for event in EVENTS:
        if event.POLICY.reach is not Reach.NONE:
            assert policy.row(event).reach in {event.POLICY.reach, Reach.ALL}
    assert policy.row("password_rehashed") == PolicyRow(reach=Reach.NONE)
