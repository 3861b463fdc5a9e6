"""The history of one person as seen from outside, and what must follow from it: the model of the fault experiments.

Each act notes when it was requested and when it was answered. Two acts that overlap may have happened in either order,
so the history knows what *must* have ended a session, and what *may* have ended it. The only rule of the server that it
knows is the reach of each act.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from authserver.revocation import Receipt
from authserver.tokens.token_answer import TokenAnswer

_ticks = count()


def tick() -> int:
    """Return a moment as a number; later calls return larger numbers."""
    return next(_ticks)


@dataclass(frozen=True)
class Span:
    """The time from a request to its answer."""

    asked: int
    answered: int

    def is_after(self, other: "Span") -> bool:
        return self.asked > other.answered

    def may_be_after(self, other: "Span") -> bool:
        return self.answered > other.asked


@dataclass
class Opened:
    """A session, with all of its token answers in the order of generations."""

    span: Span
    device_id: str
    answers: list[TokenAnswer]

    @property
    def sid(self) -> str:
        return self.answers[0].sid


@dataclass(frozen=True)
class Ending:
    """A successful act, and the sessions in its reach."""

    span: Span
    reaches: Callable[[Opened], bool]


@dataclass
class History:
    """All answers to one person, and to others who act on their account."""

    sessions: dict[str, Opened] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def opened(self, asked: int, answer: TokenAnswer) -> None:
        """Add a new session, which ends an earlier one on the device."""
        with self._lock:
            span = Span(asked, tick())
            self.sessions[answer.sid] = Opened(span, answer.device_id, [answer])
            self.endings.append(Ending(span, lambda it: it.device_id == answer.device_id and it.sid != answer.sid))

    def refreshed(self, answer: TokenAnswer) -> None:
        """Add a token answer to its session."""
        self.sessions[answer.sid].answers.append(answer)

    def ended(self, asked: int, reaches: Callable[[Opened], bool]) -> None:
        """Add an act that ended the sessions in its reach."""
        with self._lock:
            self.endings.append(Ending(Span(asked, tick()), reaches))

    def bumped(self, receipt: Receipt) -> None:
        """Add the token version of a receipt, unless the act was a no-op."""
        assert receipt.token_version is not None
        with self._lock:
            if not receipt.no_op:
                self.versions.append(receipt.token_version)

    def must_have_ended(self, session: Opened) -> bool:
        """Whether an act that reaches the session began after the session was opened."""
        return any(ending.reaches(session) and ending.span.is_after(session.span) for ending in self.endings)

    def may_have_ended(self, session: Opened) -> bool:
        """Whether an act that reaches the session may have happened after the session was opened."""
        return any(ending.reaches(session) and ending.span.may_be_after(session.span) for ending in self.endings)
