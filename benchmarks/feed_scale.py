"""The size of the revocation feed by number of users: `python -m benchmarks.feed_scale`.

It is computed from the size of real entries and the rates below. Where memory allows, a simulation checks the result.
"""

import json
import random
import time
from datetime import timedelta

from authserver.protocol.revocation_feed import FeedPage, SessionEntry, UserEntry, read_page, write_entry, write_page
from authserver.revocation.feed import feed_window
from authserver.verifier.feed_state import FeedState

SECONDS_A_YEAR = 365 * 24 * 3600
ACCESS_TOKEN_LIFETIME = timedelta(minutes=5)
RATES = {
    "signs out": (12.0, 1),
    "changes or resets the password": (0.5, 3),
    "is told another role": (0.2, 0),
    "is locked, disabled or deleted": (0.02, 2),
}
"""Act of a user → how often in a year, and how many sessions it ends."""
USERS = (10**6, 10**7, 10**8, 10**9)
_SIMULATED_ENTRIES = 100_000


def main() -> None:
    """Print the table."""
    window = feed_window(ACCESS_TOKEN_LIFETIME).total_seconds()
    sessions = sum(times * ended for times, ended in RATES.values())
    versions = sum(times for what, (times, _) in RATES.items() if what != "signs out")
    rate = (sessions + versions) / SECONDS_A_YEAR
    size = _entry_bytes(sessions / (sessions + versions))
    print(f"window {window:.0f} s; {sessions:.1f} sessions and {versions:.2f} versions end per user and year;")
    print(f"{size:.0f} bytes an entry on the wire\n")
    print("| users | entries a second | entries in the window | snapshot | a poll each 0.5 s brings |")
    print("| --- | --- | --- | --- | --- |")
    for users in USERS:
        per_second = users * rate
        entries = per_second * window
        print(
            f"| 10^{len(str(users)) - 1} | {per_second:,.1f} | {entries:,.0f} | {_megabytes(entries * size)}"
            f" | {_megabytes(per_second / 2 * size)} |"
        )
    _simulate(sessions / (sessions + versions))


def _entry_bytes(share_of_sessions: float) -> float:
    user, session = (len(json.dumps(write_entry(entry), separators=(",", ":"))) + 1 for entry in _examples())
    return session * share_of_sessions + user * (1 - share_of_sessions)


def _examples() -> tuple[UserEntry, SessionEntry]:
    user = UserEntry("u" * 22, 7, locked=False, soft_logout=True, rev=10**9, at=1_790_000_000)
    return user, SessionEntry("s" * 22, soft_logout=False, at=1_790_000_000)


def _simulate(share_of_sessions: float) -> None:
    """Measure how a follower reads and applies a snapshot."""
    random.seed(1)
    user, session = _examples()
    entries = tuple(
        SessionEntry(f"{number:022}", session.soft_logout, session.at)
        if random.random() < share_of_sessions  # noqa: S311 - a simulation
        else UserEntry(f"{number:022}", 7, locked=False, soft_logout=True, rev=number, at=user.at)
        for number in range(_SIMULATED_ENTRIES)
    )
    body = json.dumps(write_page(FeedPage("https://auth.example", "1.x", True, 390, 1_790_000_000, entries))).encode()
    state = FeedState(leeway=30)
    began = time.perf_counter()
    page = read_page(json.loads(body))
    read = time.perf_counter()
    state.apply(page, 1_790_000_000)
    applied = time.perf_counter()
    print(
        f"\na snapshot of {len(entries):,} entries ({_megabytes(len(body))}) is read in {read - began:.2f} s"
        f" and applied in {applied - read:.2f} s"
    )


def _megabytes(size: float) -> str:
    return f"{size / 1e6:,.2g} MB"


if __name__ == "__main__":
    main()
