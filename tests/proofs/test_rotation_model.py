"""The model of the rotation protocol (docs/proofs) keeps its promises, and it is a model of this code."""

import itertools
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authserver.protocol.limits import REST_MARGIN
from authserver.records.family import Family, GrantedAccess, LateRetryMark
from authserver.records.session import Ended
from authserver.records.user import Standing
from authserver.sessions.lifetimes import RetryWindows
from authserver.sessions.rotation import (
    Lapsed,
    LateRetry,
    Overtaken,
    Presented,
    Resting,
    Retry,
    Reused,
    Revoked,
    Rotatable,
    classify,
)
from authserver.sessions.scope import Allowance

MODELS = Path(__file__).parents[2] / "docs" / "proofs"
THIEF = "thief"
THIEF_FOR_EVER = "thief for ever"
OWNER_ALONE = "owner alone"
WORLDS = {THIEF: (), THIEF_FOR_EVER: ("FOREVER",), OWNER_ALONE: ("OWNER_ALONE",)}

PATIENCE = 120.0
"""Seconds after which a search that has not ended has failed."""

HASH_BITS = 20
"""A search finds the states that it has seen in a table of 2^20 places, more than the largest search has states. To
clear spin's own choice of 2^24 takes longer than most of these searches; too small a table is slow, never wrong."""

FORK = "a generation is exchanged twice"
TWO_SUCCESSORS = "a token has two successors"
TURNED_AWAY = "a request that came in time is turned away"
NOT_TOLD_APART = "two parties live on in one family"
LOGGED_OUT = "an owner without a thief is logged out"
ALIVE_AFTER_THE_END = "tokens after the end"

FINDINGS = {
    "assertion violated (handling[_pid].shown==0)": FORK,
    "assertion violated (handling[_pid].shown==1)": TWO_SUCCESSORS,
    "assertion violated  !((shared_late&&shared_late_before))": NOT_TOLD_APART,
    "acceptance cycle": NOT_TOLD_APART,
    "assertion violated 0": LOGGED_OUT,
    "assertion violated ( !(handling[_pid].in_time)||": TURNED_AWAY,
    "assertion violated  !(over)": ALIVE_AFTER_THE_END,
}
"""What spin reports, and which promise that breaks."""


@pytest.fixture(autouse=True, scope="module")
def tools() -> None:
    """The search needs two programs; a missing one is a missing proof, so it fails and never skips."""
    missing = [program for program in ("spin", "gcc") if shutil.which(program) is None]
    if missing:
        pytest.fail(f"the proofs need {' and '.join(missing)}: apt-get install spin gcc libc6-dev", pytrace=False)


@dataclass(frozen=True, slots=True)
class Search:
    """What came of looking at every state: the promise found broken, and the server's statements never reached."""

    finding: str | None
    unreached: frozenset[str]


def search(folder: Path, world: str, *more: str) -> Search:
    """Look at every state of the model in this world, with these switches."""
    switches = (*WORLDS[world], *more)
    for_ever = world == THIEF_FOR_EVER
    _run(folder, "spin", "-a", *(f"-D{switch}" for switch in switches), str(MODELS / "rotation.pml"))
    # Not optimised: these searches take less time than the optimiser.
    _run(folder, "gcc", "-w", "-O0", *([] if for_ever else ["-DSAFETY"]), "-o", "pan", "pan.c")
    report = _run(folder, "./pan", "-m100000", f"-w{HASH_BITS}", *(["-a"] if for_ever else []))
    assert "max search depth too small" not in report, report
    trouble = re.search(r"^pan:\d+: (.*?) \(at depth \d+\)$", report, re.MULTILINE)
    if trouble is not None:
        return Search(_read_finding(trouble[1]), frozenset())
    assert "errors: 0" in report, report
    assert "Search not completed" not in report, report
    server = report.partition("unreached in proctype Handler\n")[2].partition("\nunreached")[0]
    return Search(None, frozenset(re.findall(r'^\t\S+, state \d+, "(.*)"$', server, re.MULTILINE)))


def _read_finding(trouble: str) -> str:
    (finding,) = {promise for report, promise in FINDINGS.items() if trouble.startswith(report)}
    return finding


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


# What the clock of a node is behind, a stall and the way of an answer come to no more than the margin.
WITHIN_THE_MARGIN = ("MARGIN=2", "LONGEST_LAG=1", "SKEW=1")
# The server loses more time than that between two looks at the row.
BEYOND_THE_MARGIN = ("RETRY_WINDOW=3", "LATE_RETRY_WINDOW=7", "LONGEST_LAG=2", "COMPARE_AND_SET")


@pytest.mark.parametrize(
    "switches",
    [(), ("LONGEST_LAG=1", "SKEW=1"), ("RETRY_WINDOW=0", "LATE_RETRY_WINDOW=0")],
    ids=["plain", "clocks and stalls", "strict"],
)
def test_nothing_forks_and_nothing_is_exchanged_after_the_end(tmp_path: Path, switches: tuple[str, ...]) -> None:
    """A thief, any network, a sign-out at any moment, any number of rotations."""
    result = search(tmp_path, THIEF, *switches)
    assert result.finding is None
    if "LONGEST_LAG=1" in switches:
        assert result.unreached == {"-end-"}, "each statement of the server has its part in the proof"


def test_thief_and_owner_who_both_go_on_are_told_apart(tmp_path: Path) -> None:
    """Unless one is answered close to the other, time and again."""
    assert search(tmp_path, THIEF_FOR_EVER).finding is None


@pytest.mark.parametrize(
    "switches",
    [("HANDLERS=3",), WITHIN_THE_MARGIN, BEYOND_THE_MARGIN, ("SLOW_ANSWERS", "COMPARE_AND_SET")],
    ids=["three at once", "clocks and stalls", "long stalls", "slow answers to a client that compares"],
)
def test_an_owner_without_a_thief_is_never_logged_out(tmp_path: Path, switches: tuple[str, ...]) -> None:
    """By lost, late, repeated and overtaken messages of any number of tabs, which come within W of the exchange."""
    result = search(tmp_path, OWNER_ALONE, *switches)
    assert result.finding is None
    assert result.unreached >= {"assert(0)", "row.ended = 1"}, "nothing hard or soft ends"


@pytest.mark.parametrize(
    ("bug", "world", "finding"),
    [
        (("NO_CAS",), OWNER_ALONE, FORK),
        (("NO_CAS",), THIEF, ALIVE_AFTER_THE_END),
        (("WHERE_FORGETS_END",), THIEF, ALIVE_AFTER_THE_END),
        (("WHERE_FORGETS_REST",), OWNER_ALONE, LOGGED_OUT),
        (("GRACE_AFTER_END",), THIEF, ALIVE_AFTER_THE_END),
        (("ROLLED_BACK",), THIEF, ALIVE_AFTER_THE_END),
        (("NO_SECOND_LOOK",), THIEF, ALIVE_AFTER_THE_END),
        (("WINDOW_NOT_TIED",), THIEF, TWO_SUCCESSORS),
        (("RETRY_ROTATES",), OWNER_ALONE, TWO_SUCCESSORS),
        (("NO_CONSECUTIVE_RULE",), THIEF, NOT_TOLD_APART),
        (("SLIDING_WINDOW",), THIEF, NOT_TOLD_APART),
        (("MARGIN_FORGOTTEN",), THIEF, NOT_TOLD_APART),
        (("LATE_RETRY_RESTS_NOT",), OWNER_ALONE, LOGGED_OUT),
        (("REST_FROM_ROTATION",), OWNER_ALONE, LOGGED_OUT),
        (("RESTING_SETS_COOKIE",), OWNER_ALONE, LOGGED_OUT),
        (("NO_OVERTAKEN", *BEYOND_THE_MARGIN), OWNER_ALONE, LOGGED_OUT),
        (("LONGEST_LAG=1", "SKEW=1", "MARGIN=0"), OWNER_ALONE, LOGGED_OUT),
    ],
)
def test_the_model_finds_each_seeded_bug(tmp_path: Path, bug: tuple[str, ...], world: str, finding: str) -> None:
    assert search(tmp_path, world, *bug).finding == finding


@pytest.mark.parametrize(
    ("limit", "world", "finding"),
    [
        ("FOLLOWING", THIEF_FOR_EVER, NOT_TOLD_APART),
        ("EVERY_OTHER_TIME", THIEF_FOR_EVER, NOT_TOLD_APART),
        ("STEALING_FOR_EVER", THIEF_FOR_EVER, NOT_TOLD_APART),
        ("STRAGGLERS", OWNER_ALONE, LOGGED_OUT),
        ("SLOW_ANSWERS", OWNER_ALONE, LOGGED_OUT),
        ("LATE_TWICE_RUNNING", OWNER_ALONE, LOGGED_OUT),
    ],
)
def test_no_assumption_is_idle(tmp_path: Path, limit: str, world: str, finding: str) -> None:
    """Without it the promise does not hold: docs/proofs/README.md says so, and says no less than is true."""
    assert search(tmp_path, world, limit).finding == finding


MARGIN = 2
TICK = REST_MARGIN / MARGIN
LONGEST_LAG = 2
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALL = Allowance(frozenset({"read"}), frozenset({"api"}))
GENERATION = 10
GENERATIONS_SHOWN: dict[int, list[int]] = {0: [GENERATION], 1: [GENERATION - 1], 2: [GENERATION - 2, GENERATION - 3, 1]}
GENERATIONS_MARKED: dict[int, list[int | None]] = {0: [None, GENERATION - 3], 1: [GENERATION - 1], 2: [GENERATION - 2]}
VERDICTS = {
    Rotatable: "ROTATABLE",
    Resting: "RESTING",
    Retry: "RETRY",
    LateRetry: "LATE_RETRY",
    Overtaken: "OVERTAKEN",
    Reused: "REUSED",
    Lapsed: "LAPSED",
    Revoked: "REVOKED",
}


@pytest.mark.parametrize(("retry_window", "late_retry_window"), [(2, 5), (0, 0), (3, 3), (0, 4)])
def test_the_model_classifies_as_the_code_does(tmp_path: Path, retry_window: int, late_retry_window: int) -> None:
    """Case by case, so that a change of the one without the other is noticed."""
    sizes = {"RETRY_WINDOW": retry_window, "LATE_RETRY_WINDOW": late_retry_window, "LONGEST_LAG": LONGEST_LAG}
    switches = ["-DTABLE", *(f"-D{name}={ticks}" for name, ticks in {**sizes, "MARGIN": MARGIN}.items())]
    table = re.findall(
        r"case (\d) (\d) (\d) (\d+) (\d+) (\d) (\w+)",
        _run(tmp_path, "spin", "-T", *switches, str(MODELS / "classify.pml")),
    )
    rest = retry_window + MARGIN
    no_rest = rest + LONGEST_LAG
    assert len(table) == 2 * 3 * 3 * (late_retry_window + 2) * (no_rest + 1) * (LONGEST_LAG + 1)
    windows = RetryWindows(retry_window * TICK, late_retry_window * TICK)
    for *numbers, verdict in table:
        ended, place, mark, age, rest_age, lag = map(int, numbers)
        if rest_age != no_rest and (not retry_window or rest_age > age or (mark != 1 and rest_age != age)):
            continue  # the rest begins with the rotation, or with the late retry after it; without a window never
        for shown, marked in itertools.product(GENERATIONS_SHOWN[place], GENERATIONS_MARKED[mark]):
            family = _family(
                rotated_at=NOW - age * TICK,
                late_retry=None if marked is None else LateRetryMark(marked, NOW - rest_age * TICK),
                rests_until=None if rest_age == no_rest else NOW + (rest - rest_age) * TICK,
                ended=Ended(NOW, "signed_out", soft_logout=False) if ended else None,
            )
            answer = classify(family, Presented(shown, "spa", ALL), windows, NOW - lag * TICK)
            assert VERDICTS[type(answer)] == verdict, (numbers, shown, marked)


def _family(
    *, rotated_at: datetime, late_retry: LateRetryMark | None, rests_until: datetime | None, ended: Ended | None
) -> Family:
    return Family(
        family_id=b"f" * 16,
        granted=GrantedAccess("ada", "sid", "fam", "spa", "phone", "read", ("api",), NOW, ("pwd",), "acr"),
        generation=GENERATION,
        mac_kid="00000000",
        rotated_at=rotated_at,
        idle_expires_at=NOW + timedelta(days=7),
        expires_at=NOW + timedelta(days=90),
        late_retry=late_retry,
        rests_until=rests_until,
        ended=ended,
        client_enabled=True,
        standing=Standing.ACTIVE,
        token_version=1,
        roles=(),
    )
