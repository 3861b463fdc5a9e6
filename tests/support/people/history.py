"""What happened to one person, as seen from outside, and what must then be so (the model of the fault experiments).

Every act notes when it was asked for and when it was answered. Two acts that overlap may have happened in either
order, so the history knows what *must* have ended a session, and what *may* have. It knows no rule of the server but
who is in reach of what.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from authserver.revocation import Receipt
from authserver.tokens.token_answer import TokenAnswer

_ticks = count()


def tick() -> int:
    """A moment: later calls get larger numbers."""
    return next(_ticks)


@dataclass(frozen=True)
class Span:
    """From the question to the answer."""

    asked: int
    answered: int

    def is_after(self, other: "Span") -> bool:
        return self.asked > other.answered

    def may_be_after(self, other: "Span") -> bool:
        return self.answered > other.asked


@dataclass
class Opened:
    """A session, and all answers with tokens that it was given, in the order of their generations."""

    span: Span
    device_id: str
    answers: list[TokenAnswer]

    @property
    def sid(self) -> str:
        return self.answers[0].sid


@dataclass(frozen=True)
class Ending:
    """An act that was answered with success, and whom it reaches."""

    span: Span
    reaches: Callable[[Opened], bool]


@dataclass
class History:
    """All that was answered to one person and to whoever acts on his account."""

    sessions: dict[str, Opened] = field(default_factory=dict)
    endings: list[Ending] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def opened(self, asked: int, answer: TokenAnswer) -> None:
        """A session began, which ends an earlier one of the same device."""
        with self._lock:
            span = Span(asked, tick())
            self.sessions[answer.sid] = Opened(span, answer.device_id, [answer])
            self.endings.append(Ending(span, lambda it: it.device_id == answer.device_id and it.sid != answer.sid))

    def refreshed(self, answer: TokenAnswer) -> None:
        """A session got another pair."""
        self.sessions[answer.sid].answers.append(answer)

    def ended(self, asked: int, reaches: Callable[[Opened], bool]) -> None:
        """An act ended what it reaches."""
        with self._lock:
            self.endings.append(Ending(Span(asked, tick()), reaches))

    def bumped(self, receipt: Receipt) -> None:
        """An act raised the version, unless another one had left it nothing to do."""
        assert receipt.token_version is not None
        with self._lock:
            if not receipt.no_op:
                self.versions.append(receipt.token_version)

    def must_have_ended(self, session: Opened) -> bool:
        """Something in whose reach the session is began after the session was there."""
        return any(ending.reaches(session) and ending.span.is_after(session.span) for ending in self.endings)

    def may_have_ended(self, session: Opened) -> bool:
        """Something in whose reach the session is may have happened after it was there."""
        return any(ending.reaches(session) and ending.span.may_be_after(session.span) for ending in self.endings)
