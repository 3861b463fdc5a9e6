"""A step: one thing that a person may be asked on the way to a code or a session, at a page of its own.

A step knows what it is for, how its page looks, and what sending its form does. It never leads to another step: what is
missing next only the dispatcher says (`dispatcher`), which evaluates the request whole after each of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import Response

from authserver.authentication.browser_session import BrowserSignedIn
from authserver.authorization.interaction import Check
from authserver.authorization.outcomes import Decision, Missing
from authserver.authorization.pending_request import PendingRequest


@dataclass(frozen=True, slots=True)
class Errand:
    """A person on their way through the steps.

    Attributes:
        pending: what they are on the way to, with what was done for it in this browser.
        token: what the forms and links of a page carry as `request`; empty on the way to a page about the account.
        following: that page, what they carry as `next`; empty on the way to the answer of a request.
    """

    pending: PendingRequest
    token: str = ""
    following: str = ""


M_contra = TypeVar("M_contra", bound=Missing, contravariant=True)
M = TypeVar("M", bound=Missing)


@dataclass(frozen=True, slots=True)
class View(Generic[M_contra]):
    """The page of a step.

    Attributes:
        render: the answer that shows it, for what is missing.
        is_wanted: the person asked for this page; it is also shown when a later step is what is missing.
    """

    render: Callable[[Errand, M_contra], Response]
    is_wanted: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The person did what the step is for.

    Attributes:
        pending: the request with the mark of it.
        decision: their answer to the consent question, which counts for one evaluation.
        signed_in: the session that the browser has from now on, where the step gave it one.
    """

    pending: PendingRequest
    decision: Decision | None = None
    signed_in: BrowserSignedIn | None = None


@dataclass(frozen=True, slots=True)
class Step(Generic[M]):
    """One step.

    Attributes:
        path: its page.
        serves: the kind of what is missing that its page can give.
        find_missing: whether that is missing.
        show: its page as a GET asks for it.
        act: what sending its form does: the step is done, its page is shown again, or something else is answered.
        choose_entrance: the page at which a person enters the step, where that is not always `path`.
        opens: the errand of a person who comes to its page without a request; None when there is no such errand.
    """

    path: str
    serves: type[M]
    find_missing: Check
    show: Callable[[], View[M]]
    act: Callable[[Errand], Done | View[M] | Response]
    choose_entrance: Callable[[M], str] | None = None
    opens: Callable[[], Errand] | None = None

    def find_entrance(self, missing: M) -> str:
        """Where a person goes for whom `missing` is missing."""
        return self.path if self.choose_entrance is None else self.choose_entrance(missing)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What people are on the way to: one kind of request, and how it is answered when nothing is missing any more.

    Attributes:
        name: what pending requests of this kind are marked with.
        path: the address at which one begins, with its parameters as query.
        evaluate: what is missing, found by the checks in their order; or the answer.
    """

    name: str
    path: str
    evaluate: Callable[[PendingRequest, Sequence[Check], Decision | None], Missing | Response]
