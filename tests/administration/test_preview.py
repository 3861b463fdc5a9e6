"""`policy explain` and every dry run match the event itself.

Each event gets one user with three devices, mailed links and a sign-in in progress. First the event is previewed, which
must leave every table unchanged. Then it happens, in the middle of the sign-in, and every possible sentence is checked:
it must be true exactly if it was said.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from authserver.administration.preview import NOT_ABOUT_USERS, Preview, preview
from authserver.authentication.bearer import Bearer, authenticate_bearer
from authserver.clients.client_standing import enable_client
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.credentials import events
from authserver.credentials.events import EVENTS, CredentialEvent
from authserver.credentials.events.base import UserEvent
from authserver.credentials.passwords import PasswordHasher, Verification
from authserver.credentials.representative import represent
from authserver.protocol.oauth_error import OAuthError
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import NOT_FOUND, Refused
from authserver.records.consent import Consent as ConsentRecord
from authserver.records.link import LinkPurpose
from authserver.records.presence import BearerRefused
from authserver.records.user import Standing, User
from authserver.revocation import Receipt
from authserver.revocation.policy import RevocationPolicy
from authserver.revocation.policy_words import Sentence, explain
from authserver.storage import consents, links, users
from authserver.storage.schema import Base, Consent, QueuedDelivery
from authserver.storage.schema import Session as SessionRow
from authserver.tokens.token_answer import TokenAnswer
from tests.support.people.person import BY, Person
from tests.support.world.clock import ManualClock
from tests.support.world.realm import PASSWORD

NEW_PASSWORD = "a quite different passphrase"
OTHER_ADDRESS = "other@example.test"
SAID_OF_THE_OTHER_CHOICE = {Sentence.SPARED_ALIVE, Sentence.SPARED_SOFT, Sentence.NO_CHOICE}
Overrides = dict[str, dict[str, object]]
DEFAULT: Overrides = {}
OVERRIDDEN: Overrides = {
    "password_changed": {"mode": "soft", "spared": "soft", "notify": False},
    "password_reset": {"mode": "soft"},
    "email_changed": {"reach": "all"},
    "roles_changed": {"reach": "others", "mode": "soft", "notify": True},
    "refresh_token_reused": {"reach": "all", "bump": True},
    "signed_out": {"reach": "all"},
    "user_locked": {"notify": True},
}
CASES = [
    *((kind, DEFAULT, True) for kind in EVENTS),
    *((kind, OVERRIDDEN, True) for kind in EVENTS if kind.name in OVERRIDDEN),
    (events.PasswordChanged, DEFAULT, False),
    (events.PasswordChanged, OVERRIDDEN, False),
    (events.EmailChanged, DEFAULT, False),
]


@dataclass(frozen=True, slots=True)
class Scene:
    """A user before the event. The device that asks was used last."""

    person: Person
    asking: TokenAnswer
    others: tuple[TokenAnswer, ...]
    reset_link: bytes
    report_link: bytes
    later_link: bytes
    report_issued_at: datetime

    @property
    def devices(self) -> tuple[TokenAnswer, ...]:
        return (self.asking, *self.others)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The observable state of a user after the event."""

    name: str
    user: User | None
    was: User
    password_hash: str | None
    receipt: Receipt
    ended: tuple[bool, ...]
    heard: tuple[bool | None, ...]
    bearers: tuple[Bearer | BearerRefused, ...]
    revived: bool
    sign_in: object
    live_links: frozenset[str]
    mails: int
    consents: int


def build_scene(realm: Realm, clock: ManualClock, event: type[CredentialEvent]) -> Scene:
    person = Person(realm, roles=("reader",))
    others = tuple(person.sign_in() for _ in range(2))
    clock.advance(timedelta(seconds=5))
    asking = person.sign_in()
    report_issued_at = clock.now()
    report = _issue(person, LinkPurpose.NOT_ME)
    clock.advance(timedelta(seconds=5))
    later, reset = _issue(person, LinkPurpose.NOT_ME), _issue(person, LinkPurpose.RESET_PASSWORD)
    allowed = ConsentRecord(person.user_id, FIRST_PARTY_CLIENT_ID, frozenset({"read"}), frozenset(), clock.now())
    with realm.database.write() as tx:
        consents.remember(tx, allowed)
    if event is events.UserUnlocked:
        person.apply(events.UserLocked(person.user_id))
        reset = _issue(person, LinkPurpose.RESET_PASSWORD)
    if event is events.UserEnabled:
        person.apply(events.UserDisabled(person.user_id))
        reset = _issue(person, LinkPurpose.RESET_PASSWORD)
    return Scene(person, asking, others, reset, report, later, report_issued_at)


def _issue(person: Person, purpose: LinkPurpose) -> bytes:
    person.add_link(purpose)
    table = Base.metadata.tables["mail_links"].c
    with person.realm.database.read() as tx:
        mine = select(table.link_id).where(table.user_id == person.user_id)
        newest: bytes = tx.execute(mine.order_by(table.issued_at.desc(), table.expires_at).limit(1)).scalar_one()
    return newest


def build_event(scene: Scene, kind: type[CredentialEvent]) -> CredentialEvent:
    """Build the event with facts about this user, as a caller would report it."""
    realm, user_id = scene.person.realm, scene.person.user_id
    chosen = PASSWORD if kind is events.PasswordRehashed else NEW_PASSWORD
    facts: dict[str, Any] = {
        "user_id": user_id,
        "sid": scene.asking.sid,
        "fam": "fam",
        "client_id": FIRST_PARTY_CLIENT_ID,
        "kid": realm.keyring.current.signing_key.kid,
        "email": OTHER_ADDRESS,
        "roles": ("auditor",),
        "password_hash": realm.passwords.hasher.hash(Secret(chosen)),
        "replaces": _hash_of(scene.person),
        "link_issued_at": scene.report_issued_at,
    }
    made: CredentialEvent = kind(**{field.name: facts[field.name] for field in fields(kind)})
    return made


def _hash_of(person: Person) -> str | None:
    with person.realm.database.read() as tx:
        credentials = users.find_credentials_by_id(tx, person.user_id)
    return None if credentials is None else credentials.password_hash


def happen(scene: Scene, event: CredentialEvent, monkeypatch: pytest.MonkeyPatch, *, logout_devices: bool) -> Aftermath:
    """Apply `event` in the middle of a sign-in, and observe the result."""
    person, realm = scene.person, scene.person.realm
    was, mails_before, receipts = person.row, _count_mails(realm), []
    verify = PasswordHasher.verify

    def verify_and_be_overtaken(
        self: PasswordHasher, password: Secret, stored: str | None, *, decoy: str | None = None
    ) -> Verification:
        verification = verify(self, password, stored, decoy=decoy)
        with monkeypatch.context() as calm:
            calm.setattr(PasswordHasher, "verify", verify)
            with realm.database.write() as tx:
                now, current = realm.clock.now(), scene.asking.sid
                receipts.append(
                    realm.revocation.apply(tx, event, by=BY, now=now, current=current, logout_devices=logout_devices)
                )
        return verification

    with monkeypatch.context() as patch:
        patch.setattr(PasswordHasher, "verify", verify_and_be_overtaken)
        signed_in = person.try_sign_in()
    (receipt,) = receipts
    mails = _count_mails(realm) - mails_before
    with realm.database.read() as tx:
        user = users.find(tx, person.user_id)
    ended = tuple(_ended_by(realm, device.sid, event.name) for device in scene.devices)
    # Check the old access tokens first, before a refresh changes a family.
    bearers = tuple(authenticate_bearer(realm, device.access_token) for device in scene.devices)
    heard = tuple(_hear(person, device) for device in scene.devices)
    live_links = frozenset(
        name
        for name, link_id in (("reset", scene.reset_link), ("report", scene.report_link), ("later", scene.later_link))
        if _is_live(realm, link_id)
    )
    return Aftermath(
        name=event.name,
        user=user,
        was=was,
        password_hash=_hash_of(person),
        receipt=receipt,
        ended=ended,
        heard=heard,
        bearers=bearers,
        revived=_revive(scene, event),
        sign_in=signed_in,
        live_links=live_links,
        mails=mails,
        consents=_count_consents(realm),
    )


def _count_consents(realm: Realm) -> int:
    with realm.database.read() as tx:
        return len(tx.execute(select(Consent.client_id)).all())


def _ended_by(realm: Realm, sid: str, name: str) -> bool:
    with realm.database.read() as tx:
        row = tx.execute(select(SessionRow.ended_by).where(SessionRow.sid == sid)).one_or_none()
    return row is None or row[0] == name


def _hear(person: Person, device: TokenAnswer) -> bool | None:
    """Refresh; return `soft_logout` of the refusal, or None if it succeeds."""
    answer = person.refresh(device)
    return answer.soft_logout if isinstance(answer, OAuthError) else None


def _is_live(realm: Realm, link_id: bytes) -> bool:
    with realm.database.read() as tx:
        return links.find_live(tx, link_id, realm.clock.now()) is not None


def _count_mails(realm: Realm) -> int:
    with realm.database.read() as tx:
        return len(tx.execute(select(QueuedDelivery.delivery_id)).all())


def _revive(scene: Scene, event: CredentialEvent) -> bool:
    """Whether the old tokens work again after an unlock, or after the disabled client was enabled."""
    person = scene.person
    if isinstance(event, events.UserLocked):
        person.apply(events.UserUnlocked(person.user_id))
    if isinstance(event, events.ClientDisabled):
        enable_client(person.realm, FIRST_PARTY_CLIENT_ID)
        person.realm.clients.find(FIRST_PARTY_CLIENT_ID)
    return all(isinstance(authenticate_bearer(person.realm, one.access_token), Bearer) for one in scene.devices)


def _all_hear(after: Aftermath, *, soft: bool) -> bool:
    """Whether any session ended, and all ended ones except a renewed one answer with `soft_logout` equal to `soft`."""
    renewed = _is_renewed(after)
    heard = [heard for i, heard in enumerate(after.heard) if after.ended[i] and not (renewed and i == 0)]
    return bool(heard) and all(one is soft for one in heard)


def _is_renewed(after: Aftermath) -> bool:
    """Whether the session that asked counts as kept in the receipt, although its old tokens are dead."""
    return after.ended[0] and after.heard[0] is True and after.receipt.sessions_kept > after.ended.count(False)


def _has_password(after: Aftermath, password: str) -> bool:
    return PasswordHasher().verify(Secret(password), after.password_hash).matches


_ALIVE = (False, False, False)
TRUTHS: dict[Sentence, Callable[[Aftermath], bool]] = {
    Sentence.NOTHING_ENDS: lambda a: (
        a.ended in {_ALIVE, (True, False, False)} and (not a.ended[0] or _is_renewed(a)) and not _client_ended(a)
    ),
    Sentence.CURRENT_ENDS: lambda _: False,  # no event has this reach, by default or by choice
    Sentence.OTHERS_END: lambda a: a.ended[1:] == (True, True) and (not a.ended[0] or _is_renewed(a)),
    Sentence.ALL_END: lambda a: all(a.ended) and not _is_renewed(a),
    Sentence.THIS_ENDS: lambda a: a.ended == (True, False, False) and not _is_renewed(a),
    Sentence.CLIENT_ENDS: lambda a: _client_ended(a) and not a.revived,
    Sentence.HARD: lambda a: _all_hear(a, soft=False),
    Sentence.SOFT: lambda a: _all_hear(a, soft=True),
    Sentence.RENEWED: lambda a: _is_renewed(a) and isinstance(a.bearers[0], BearerRefused),
    Sentence.STALE: lambda a: (
        a.user is not None
        and a.user.token_version == a.was.token_version + 1
        and all(isinstance(one, BearerRefused) for one in a.bearers)
    ),
    Sentence.PASSWORD_SET: lambda a: _has_password(a, NEW_PASSWORD),
    Sentence.PASSWORD_REHASHED: lambda a: a.name == "password_rehashed" and _has_password(a, PASSWORD),
    Sentence.PASSWORD_FORGOTTEN: lambda a: a.user is not None and a.password_hash is None and a.consents == 0,
    Sentence.ADDRESS_SET: lambda a: (
        a.user is not None and (a.user.email, a.user.email_verified) == (OTHER_ADDRESS, True)
    ),
    Sentence.ROLES_SET: lambda a: a.user is not None and a.user.roles == ("auditor",),
    Sentence.LOCKED: lambda a: (
        a.heard == (True, True, True)
        and {_code(one) for one in a.bearers} == {"user_locked"}
        and isinstance(a.sign_in, Refused)
        and a.revived
    ),
    Sentence.UNLOCKED: lambda a: a.was.standing is Standing.LOCKED and a.heard == (None, None, None) and a.revived,
    Sentence.DISABLED: lambda a: (
        a.user is not None and a.was.standing is Standing.ACTIVE and a.user.standing is Standing.DISABLED
    ),
    Sentence.ENABLED: lambda a: (
        a.was.standing is Standing.DISABLED
        and a.user is not None
        and a.user.standing is Standing.ACTIVE
        and a.heard == (False, False, False)
    ),
    Sentence.DELETED: lambda a: a.user is None,
    Sentence.SIGN_INS_FAIL: lambda a: isinstance(a.sign_in, Refused) and not _client_ended(a),
    Sentence.LINKS_END: lambda a: "reset" not in a.live_links,
    Sentence.LATER_LINKS_END: lambda a: "later" not in a.live_links and "report" in a.live_links,
    Sentence.MAILED: lambda a: a.mails > 0,
}


def _code(bearer: Bearer | BearerRefused) -> str:
    return bearer.code if isinstance(bearer, BearerRefused) else ""


def _client_ended(after: Aftermath) -> bool:
    return {_code(one) for one in after.bearers} == {"client_disabled"} and after.heard == (False, False, False)


def dump(realm: Realm) -> dict[str, list[Any]]:
    """Read every row of every table."""
    with realm.database.read() as tx:
        return {
            table.name: sorted(map(tuple, tx.execute(select(table)).all()), key=repr)
            for table in Base.metadata.sorted_tables
        }


def under(realm: Realm, overrides: Overrides) -> Realm:
    return replace(realm, revocation=replace(realm.revocation, policy=RevocationPolicy(overrides)))


def _name_case(value: object) -> str:
    if isinstance(value, bool):
        return "all" if value else "spared"
    return str(getattr(value, "name", "")) if isinstance(value, type) else "overridden" if value else "default"


@pytest.mark.parametrize(("kind", "overrides", "logout_devices"), CASES, ids=_name_case)
def test_the_explanation_and_the_dry_run_match_the_event(
    realm: Realm,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[CredentialEvent],
    overrides: Overrides,
    logout_devices: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Explanation and dry run are true for every event. ASVS 7.4.2 (disable, delete), ASVS 7.4.3."""
    realm = under(realm, overrides)
    scene = build_scene(realm, clock, kind)
    before = dump(realm)
    foreseen = preview(realm, kind, scene.person.row, sid=None, logout_devices=logout_devices, by=BY)
    assert dump(realm) == before, "foreseeing left something behind"

    event = build_event(scene, kind)
    said = set(explain(event, realm.revocation.policy.row(kind), logout_devices=logout_devices))
    after = happen(scene, event, monkeypatch, logout_devices=logout_devices)

    if issubclass(kind, UserEvent):
        assert isinstance(foreseen, Preview)
        had_sessions = kind is not events.UserEnabled
        assert foreseen == Preview(after.receipt, scene.asking.sid if had_sessions else None)
    else:
        assert isinstance(foreseen, Refused)
        assert foreseen.code == NOT_ABOUT_USERS
    assert said - SAID_OF_THE_OTHER_CHOICE == {sentence for sentence, holds in TRUTHS.items() if holds(after)}


@pytest.mark.parametrize(
    ("overrides", "sentence", "heard"),
    [({}, Sentence.SPARED_ALIVE, None), ({"password_changed": {"spared": "soft"}}, Sentence.SPARED_SOFT, True)],
)
def test_the_explanation_of_logout_devices_false_matches_its_effect(
    realm: Realm,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    overrides: Overrides,
    sentence: Sentence,
    heard: bool | None,  # noqa: FBT001 - a parameter of the test
) -> None:
    """ASVS 7.4.3: with `logout_devices: false` the other devices refresh once and continue, or end softly by policy."""
    realm = under(realm, overrides)
    scene = build_scene(realm, clock, events.PasswordChanged)
    event = build_event(scene, events.PasswordChanged)
    row = realm.revocation.policy.row(event)
    assert sentence in explain(event, row)
    assert sentence not in explain(event, row, logout_devices=False)
    after = happen(scene, event, monkeypatch, logout_devices=False)
    assert after.heard[1:] == (heard, heard)


@pytest.mark.parametrize(
    "kind", [kind for kind in EVENTS if not kind.POLICY.client_may_choose], ids=lambda k: str(k.name)
)
def test_the_explanation_says_if_logout_devices_has_no_effect(kind: type[CredentialEvent], clock: ManualClock) -> None:
    event = represent(kind, user_id="", email="", roles=(), sid="", link_issued_at=clock.now())
    asked, default = explain(event, kind.POLICY, logout_devices=False), explain(event, kind.POLICY)
    assert set(asked) - set(default) == {Sentence.NO_CHOICE}
    assert set(default) <= set(asked)


def test_every_sentence_has_a_check() -> None:
    """A new sentence needs a check in this file first."""
    assert TRUTHS.keys() | SAID_OF_THE_OTHER_CHOICE == set(Sentence)


def test_the_session_that_asks_can_be_given(realm: Realm) -> None:
    person, stranger = Person(realm), Person(realm)
    named, _ = person.sign_in(), person.sign_in()
    foreseen = preview(realm, events.SignedOut, person.row, sid=named.sid, logout_devices=True, by=BY)
    assert isinstance(foreseen, Preview)
    assert (foreseen.sid, foreseen.receipt.sessions_ended, foreseen.receipt.sessions_kept) == (named.sid, 1, 1)
    foreign = preview(realm, events.SignedOut, stranger.row, sid=named.sid, logout_devices=True, by=BY)
    assert isinstance(foreign, Refused)
    assert foreign.code == NOT_FOUND
