"""The museum: bugs that shipped elsewhere, built in here on purpose (fault experiment F41).

Each must turn the check red that is there to find it. A suite that stays green over a known bug is itself broken.
"""

import hmac
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

import tests.grants.test_refresh as refreshes
import tests.races.test_races as races
import tests.unit.protocol.test_refresh_token as strings
import tests.unit.sessions.test_rotation as rules
from authserver.grants import refresh_token, refusal
from authserver.protocol import proven_text
from authserver.protocol.oauth_error import invalid_grant
from authserver.realm import Realm
from authserver.records.family import Family
from authserver.sessions import rotation as decisions
from authserver.sessions.lifetimes import RetryWindows
from authserver.sessions.rotation import Classification, Presented, Retry, Reused
from authserver.storage import families, users
from authserver.storage import rotation as statements
from authserver.storage.rotation import Rotated, Rotation
from authserver.storage.schema import RefreshTokenFamily
from authserver.tokens.proof import prove_refresh_token
from tests.support.world.clock import ManualClock
from tests.support.world.entropy import SeededEntropy
from tests.support.world.realm import add_user
from tests.support.world.time_limit import time_limit

Patch = pytest.MonkeyPatch
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Scene:
    """What checks ask for."""

    realm: Realm
    database_url: str
    clock: ManualClock
    entropy: SeededEntropy
    recording: Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture
def scene(
    realm: Realm,
    database_url: str,
    clock: ManualClock,
    entropy: SeededEntropy,
    recording: Callable[[], AbstractContextManager[list[str]]],
) -> Scene:
    add_user(realm)
    return Scene(realm, database_url, clock, entropy, recording)


# --- the bugs -------------------------------------------------------------------------------------------------------


def rotate_whatever_the_generation(patch: Patch) -> None:
    """Neither generation nor rest in the WHERE: whoever comes, rotates."""
    _drop_conditions(patch, "presented_generation", "rests_until")


def never_rest(patch: Patch) -> None:
    """Each use of the current token rotates: three requests of one browser, and the slow one looks like a thief."""
    _drop_conditions(patch, "rests_until")


def read_before_writing(patch: Patch) -> None:
    """The most repeated bug of this field: look whether the generation is right, and then write."""
    rotate_whatever_the_generation(patch)
    rotate = Rotation.rotate

    def look_and_rotate(self: Rotation, *, family_id: bytes, presented: Presented, **others: Any) -> Rotated | None:  # noqa: ANN401 - passed on
        with self._database.read() as tx:
            family = families.find(tx, family_id)
        if family is None or family.generation != presented.generation:
            return None
        return rotate(self, family_id=family_id, presented=presented, **others)

    patch.setattr(Rotation, "rotate", look_and_rotate)


def idle_one_moment_longer(patch: Patch) -> None:
    """`>=` for `>`."""

    def loosen(condition: Any) -> list[Any]:  # noqa: ANN401 - a condition of SQLAlchemy
        ends = RefreshTokenFamily.idle_expires_at
        return [ends >= condition.right] if "idle_expires_at" in str(condition) else [condition]

    _rewrite_conditions(patch, loosen)


def retry_one_moment_longer(patch: Patch) -> None:
    """`<=` for `<`."""
    find = decisions._find_retry_end

    def find_later(*arguments: Any) -> Any:  # noqa: ANN401 - passed on
        end = find(*arguments)
        return None if end is None else end + MOMENT

    patch.setattr(decisions, "_find_retry_end", find_later)


def retry_late_one_moment_longer(patch: Patch) -> None:
    """`<=` for `<`, a day later."""
    judge = decisions._classify_predecessor

    def judge_wrong(family: Family, generation: int, windows: RetryWindows, now: Any) -> Any:  # noqa: ANN401 - passed on
        wide = replace(windows, late_retry_window=windows.late_retry_window + MOMENT)
        return judge(family, generation, wide, now)

    patch.setattr(decisions, "_classify_predecessor", judge_wrong)


def forgive_any_generation(patch: Patch) -> None:
    """A retry window without "immediate predecessor": a thief has a minute, again and again."""

    def forgive(family: Family | None, presented: Presented, windows: RetryWindows, now: Any) -> Classification:  # noqa: ANN401 - passed on
        verdict = decisions.classify(family, presented, windows, now)
        return Retry() if isinstance(verdict, Reused) else verdict

    patch.setattr(refusal, "classify", forgive)


def undo_the_revocation_by_its_own_error(patch: Patch) -> None:
    """Reuse is found, all is ended, and the error that says so rolls it back."""
    act, settle = refusal._act, refusal.settle

    class ReuseDetectedError(Exception):
        pass

    def act_and_raise(tx: Any, realm: Realm, verdict: Classification, *others: Any) -> None:  # noqa: ANN401 - passed on
        act(tx, realm, verdict, *others)
        if isinstance(verdict, Reused):
            raise ReuseDetectedError

    def settle_or_refuse(*arguments: Any) -> Any:  # noqa: ANN401 - passed on
        try:
            return settle(*arguments)
        except ReuseDetectedError:
            return invalid_grant("reuse", soft_logout=False)

    patch.setattr(refusal, "_act", act_and_raise)
    patch.setattr(refresh_token, "settle", settle_or_refuse)


def believe_any_tag(patch: Patch) -> None:
    """The checksum is right, and so the token is ours."""
    patch.setattr(proven_text, "hmac", SimpleNamespace(new=hmac.new, compare_digest=lambda *_: True))


def look_before_believing(patch: Patch) -> None:
    """A made-up token reaches the database, the first step to logging its victim out."""

    def prove_and_look(realm: Realm, text: str) -> Any:  # noqa: ANN401 - passed on
        with realm.database.read() as tx:
            families.find(tx, text[:16].encode())
        return prove_refresh_token(realm, text)

    patch.setattr(refresh_token, "prove_refresh_token", prove_and_look)


def take_no_lock(patch: Patch) -> None:
    """The user's row is read and not taken, so that two events about one user pass each other."""
    patch.setattr(users, "lock", users.find)


# --- the checks that find them --------------------------------------------------------------------------------------


def parallel_refreshes(scene: Scene) -> None:
    refreshes.test_parallel_uses_of_one_token_give_one_rotation_and_one_successor(
        scene.database_url, scene.clock, scene.entropy, "", rounds=50
    )


def rules_of_classification(_: Scene) -> None:
    (rows,) = (mark.args[1] for mark in rules.test_the_generation_and_the_windows_decide.pytestmark)  # type: ignore[attr-defined]
    for row in rows:
        rules.test_the_generation_and_the_windows_decide(*row)


def idle_expiry(scene: Scene) -> None:
    refreshes.test_an_idle_family_expires_softly(scene.realm, scene.clock)


def requests_in_any_order(scene: Scene) -> None:
    refreshes.test_three_requests_of_one_browser_in_any_order_end_nothing(scene.realm, scene.clock)


def reuse(scene: Scene) -> None:
    refreshes.test_reuse_of_a_past_generation_revokes_the_session_and_no_other(scene.realm, scene.clock)


def forgery(_: Scene) -> None:
    strings.test_another_key_proves_nothing()


def flipped_bits(scene: Scene) -> None:
    refreshes.test_a_flipped_bit_anywhere_is_refused_without_a_query_and_kills_nothing(scene.realm, scene.recording)


def sign_in_beside_a_change(scene: Scene) -> None:
    races.test_a_sign_in_verified_before_a_change_leaves_no_session_after_it(scene.realm, rounds=5)


MUSEUM: dict[Callable[[Patch], None], Callable[[Scene], None]] = {
    rotate_whatever_the_generation: parallel_refreshes,
    read_before_writing: parallel_refreshes,
    never_rest: requests_in_any_order,
    idle_one_moment_longer: idle_expiry,
    retry_one_moment_longer: rules_of_classification,
    retry_late_one_moment_longer: rules_of_classification,
    forgive_any_generation: reuse,
    undo_the_revocation_by_its_own_error: reuse,
    believe_any_tag: forgery,
    look_before_believing: flipped_bits,
}


@pytest.mark.parametrize("seed", MUSEUM)
def test_a_known_bug_is_found(scene: Scene, monkeypatch: Patch, seed: Callable[[Patch], None]) -> None:
    seed(monkeypatch)
    with time_limit(120), pytest.raises(AssertionError):
        MUSEUM[seed](scene)


@pytest.mark.parametrize("check", [*dict.fromkeys(MUSEUM.values()), sign_in_beside_a_change])
def test_without_a_bug_every_check_is_green(scene: Scene, check: Callable[[Scene], None]) -> None:
    """Or what is red above proves nothing."""
    with time_limit(120):
        check(scene)


@pytest.mark.parametrize("databases", ["postgresql"], indirect=True)
def test_a_users_row_that_nobody_locks_is_found(scene: Scene, monkeypatch: Patch) -> None:
    """On PostgreSQL: SQLite has one writer at a time, with or without this lock."""
    take_no_lock(monkeypatch)
    with time_limit(120), pytest.raises(AssertionError):
        sign_in_beside_a_change(scene)


def _drop_conditions(patch: Patch, *words: str) -> None:
    """Leave out of the WHERE what speaks of any of `words`."""
    _rewrite_conditions(patch, lambda condition: [] if any(word in str(condition) for word in words) else [condition])


def _rewrite_conditions(patch: Patch, rewrite: Callable[[Any], list[Any]]) -> None:
    """Change what the WHERE of the rotation statement says."""
    build = statements._rotation_statement

    def build_wrong(*shapes: Any) -> Any:  # noqa: ANN401 - a statement of SQLAlchemy
        statement = build(*shapes)
        statement._where_criteria = tuple(new for old in statement._where_criteria for new in rewrite(old))
        return statement

    patch.setattr(statements, "_rotation_statement", build_wrong)
