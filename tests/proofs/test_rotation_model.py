"""The model of the rotation protocol (docs/proofs) keeps its promises, and it is a model of this code."""

import itertools
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from authserver.sessions.family import Ended, Family, Grant, LateRetryMark, Standing
from authserver.sessions.lifetimes import RetryWindows
from authserver.sessions.rotation import Lapsed, LateRetry, Presented, Retry, Reused, Revoked, Rotatable, classify

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
NOT_TOLD_APART = "two parties live on in one family"
LOGGED_OUT = "an owner without a thief is logged out"
ALIVE_AFTER_THE_END = "tokens after the end"

FINDINGS = {
    "assertion violated (handling[_pid].shown==0)": FORK,
    "assertion violated (handling[_pid].shown==1)": TWO_SUCCESSORS,
    "assertion violated  !((shared_late&&shared_late_before))": NOT_TOLD_APART,
    "acceptance cycle": NOT_TOLD_APART,
    "assertion violated 0": LOGGED_OUT,
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
        return Search(FINDINGS[trouble[1]], frozenset())
    assert "errors: 0" in report, report
    assert "Search not completed" not in report, report
    server = report.partition("unreached in proctype Handler\n")[2].partition("\nunreached")[0]
    return Search(None, frozenset(re.findall(r'^\t\S+, state \d+, "(.*)"$', server, re.MULTILINE)))


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize(
    "switches", [(), ("LONGEST_STALL=1",), ("RETRY_WINDOW=0", "LATE_RETRY_WINDOW=0")], ids=["plain", "stalls", "strict"]
)
def test_nothing_forks_and_nothing_is_exchanged_after_the_end(tmp_path: Path, switches: tuple[str, ...]) -> None:
    """A thief, any network, a sign-out at any moment, any number of rotations."""
    result = search(tmp_path, THIEF, *switches)
    assert result.finding is None
    if "RETRY_WINDOW=0" not in switches:
        assert result.unreached == {"-end-"}, "each statement of the server has its part in the proof"


def test_thief_and_owner_who_both_go_on_are_told_apart(tmp_path: Path) -> None:
    """Unless one is answered within 60 s of the other, time and again."""
    assert search(tmp_path, THIEF_FOR_EVER) == Search(None, frozenset({"-end-"}))


def test_an_owner_without_a_thief_is_never_logged_out(tmp_path: Path) -> None:
    """By lost, late and repeated messages of three parallel requests, when repeats come inside the windows."""
    only_refusals = frozenset({"assert(0)", "row.ended = 1", "-end-"})
    assert search(tmp_path, OWNER_ALONE, "HANDLERS=3") == Search(None, only_refusals)


@pytest.mark.parametrize(
    ("bug", "world", "finding"),
    [
        ("NO_CAS", OWNER_ALONE, FORK),
        ("NO_CAS", THIEF, ALIVE_AFTER_THE_END),
        ("WHERE_FORGETS_END", THIEF, ALIVE_AFTER_THE_END),
        ("GRACE_AFTER_END", THIEF, ALIVE_AFTER_THE_END),
        ("ROLLED_BACK", THIEF, ALIVE_AFTER_THE_END),
        ("NO_SECOND_LOOK", THIEF, ALIVE_AFTER_THE_END),
        ("WINDOW_NOT_TIED", THIEF, TWO_SUCCESSORS),
        ("RETRY_ROTATES", OWNER_ALONE, TWO_SUCCESSORS),
        ("NO_CONSECUTIVE_RULE", THIEF, NOT_TOLD_APART),
        ("SLIDING_WINDOW", THIEF, NOT_TOLD_APART),
        ("NO_OWN_WINDOW", OWNER_ALONE, LOGGED_OUT),
    ],
)
def test_the_model_finds_each_seeded_bug(tmp_path: Path, bug: str, world: str, finding: str) -> None:
    assert search(tmp_path, world, bug).finding == finding


@pytest.mark.parametrize(
    ("limit", "world", "finding"),
    [
        ("FOLLOWING", THIEF_FOR_EVER, NOT_TOLD_APART),
        ("EVERY_OTHER_TIME", THIEF_FOR_EVER, NOT_TOLD_APART),
        ("STEALING_FOR_EVER", THIEF_FOR_EVER, NOT_TOLD_APART),
        ("STRAGGLERS", OWNER_ALONE, LOGGED_OUT),
        ("LATE_TWICE_RUNNING", OWNER_ALONE, LOGGED_OUT),
    ],
)
def test_no_assumption_is_idle(tmp_path: Path, limit: str, world: str, finding: str) -> None:
    """Without it the promise does not hold: docs/proofs/README.md says so, and says no less than is true."""
    assert search(tmp_path, world, limit).finding == finding


TICK = timedelta(seconds=30)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
GENERATION = 10
GENERATIONS_SHOWN: dict[int, list[int]] = {0: [GENERATION], 1: [GENERATION - 1], 2: [GENERATION - 2, GENERATION - 3, 1]}
GENERATIONS_MARKED: dict[int, list[int | None]] = {0: [None, GENERATION - 3], 1: [GENERATION - 1], 2: [GENERATION - 2]}
VERDICTS = {
    Rotatable: "ROTATABLE",
    Retry: "RETRY",
    LateRetry: "LATE_RETRY",
    Reused: "REUSED",
    Lapsed: "LAPSED",
    Revoked: "REVOKED",
}


@pytest.mark.parametrize(("retry_window", "late_retry_window"), [(2, 5), (0, 0), (3, 3), (0, 4)])
def test_the_model_classifies_as_the_code_does(tmp_path: Path, retry_window: int, late_retry_window: int) -> None:
    """Case by case, so that a change of the one without the other is noticed."""
    switches = ["-DTABLE", f"-DRETRY_WINDOW={retry_window}", f"-DLATE_RETRY_WINDOW={late_retry_window}"]
    table = re.findall(
        r"case (\d) (\d) (\d) (\d+) (\d+) (\d) (\w+)",
        _run(tmp_path, "spin", "-T", *switches, str(MODELS / "classify.pml")),
    )
    assert len(table) == 2 * 3 * 3 * (late_retry_window + 2) * (retry_window + 2) * 2
    windows = RetryWindows(retry_window * TICK, late_retry_window * TICK)
    for *numbers, verdict in table:
        ended, place, mark, age, mark_age, lag = map(int, numbers)
        for shown, marked in itertools.product(GENERATIONS_SHOWN[place], GENERATIONS_MARKED[mark]):
            family = _family(
                rotated_at=NOW - age * TICK,
                late_retry=None if marked is None else LateRetryMark(marked, NOW - mark_age * TICK),
                ended=Ended(NOW, "signed_out", soft_logout=False) if ended else None,
            )
            answer = classify(family, Presented(shown, "spa", None), windows, NOW - lag * TICK)
            assert VERDICTS[type(answer)] == verdict, (numbers, shown, marked)


def _family(*, rotated_at: datetime, late_retry: LateRetryMark | None, ended: Ended | None) -> Family:
    return Family(
        family_id=b"f" * 16,
        grant=Grant("ada", "sid", "fam", "spa", "phone", "read", ("api",), NOW, ("pwd",), "acr"),
        generation=GENERATION,
        mac_kid="00000000",
        rotated_at=rotated_at,
        idle_expires_at=NOW + timedelta(days=7),
        expires_at=NOW + timedelta(days=90),
        late_retry=late_retry,
        ended=ended,
        client_enabled=True,
        standing=Standing.ACTIVE,
        token_version=1,
        roles=(),
    )
