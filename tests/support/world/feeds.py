"""A revocation feed for tests, on the server's side: entries in the order of positions, and pages of any kind."""

import json
from dataclasses import dataclass, field, replace

from authserver.protocol.claims import UserToken
from authserver.protocol.revocation_feed import ClientEntry, Entry, FeedPage, UserEntry, name_subject, write_page
from tests.support.world.tokens import AUDIENCE, ISSUER, NOW

WINDOW = 390


def user(sub: str = "user-1", version: int = 1, **changes: object) -> UserEntry:
    """An entry about a user; the feed sets its `rev`."""
    entry = UserEntry(sub, version, locked=False, soft_logout=False, rev=0, at=NOW)
    return replace(entry, **changes)  # type: ignore[arg-type]


def claims(**changes: object) -> UserToken:
    """The claims of a valid token, with `changes`."""
    good = UserToken(
        iss=ISSUER,
        sub="user-1",
        aud=(AUDIENCE,),
        exp=NOW + 300,
        iat=NOW,
        jti="token-1",
        client_id="first-party",
        scope="read",
        sid="session-1",
        fam="family-1",
        token_version=3,
    )
    return replace(good, **changes)  # type: ignore[arg-type]


@dataclass
class Feed:
    """Makes pages. `generated_at` of a page is `now`."""

    issuer: str = ISSUER
    window: int = WINDOW
    now: int = NOW
    entries: list[Entry] = field(default_factory=list)

    def add(self, *entries: Entry) -> None:
        """Append entries; a `rev` is set to the entry's position, as the real server does."""
        for entry in entries:
            if isinstance(entry, UserEntry | ClientEntry):
                self.entries.append(replace(entry, rev=len(self.entries) + 1))
            else:
                self.entries.append(entry)

    def page(self, since: int = 0, up_to: int | None = None, *, reset: bool = False) -> FeedPage:
        """Make a page of the entries after `since`, up to and including `up_to`."""
        last = len(self.entries) if up_to is None else up_to
        entries = tuple(self.entries[since:last])
        return FeedPage(self.issuer, f"{last}.c", reset, self.window, self.now, entries)

    def snapshot(self) -> FeedPage:
        """Make the page for a reader without a cursor: the newest entry of each subject, if it still matters."""
        newest = {(entry.KIND, name_subject(entry)): entry for entry in self.entries}
        matters = [
            entry
            for entry in newest.values()
            if entry.at > self.now - self.window or (isinstance(entry, UserEntry) and entry.locked)
        ]
        return replace(self.page(reset=True), entries=tuple(matters))

    def poll(self, cursor: str) -> FeedPage:
        """Make the page for `cursor`: the new entries, or a snapshot if the cursor's entry has been pruned."""
        position = int(cursor.partition(".")[0] or 0)
        is_newest = position == len(self.entries)
        if position == 0 or not (is_newest or self.entries[position - 1].at > self.now - self.window):
            return self.snapshot()
        return self.page(position)

    def answer(self, cursor: str) -> bytes:
        """Make the body of the answer to a reader with this cursor."""
        position = cursor.partition(".")[0]
        known = position.isdigit() and int(position) <= len(self.entries)
        return self.write(self.page(int(position)) if known else self.page(reset=True))

    def write(self, page: FeedPage) -> bytes:
        return json.dumps(write_page(page)).encode()
