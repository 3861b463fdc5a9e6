"""Steps: each asks a person one thing on the way to a code or a session, on its own page.

A step defines what can be missing, how its page looks, and what its form does. It never leads to another step: only the
`dispatcher` finds what is missing next, and evaluates the whole request after each step.
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
        pending: the request, with the steps done in this browser.
        token: the value of `request` in the forms and links of a page; empty on the way to an account page.
        following: the account page to show at the end, and the value of `next` in forms and links; empty for the
            request of an application.
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
        render: makes the answer, from the errand and what is missing.
        is_wanted: the person asked for this page, so it is shown even if another step is missing.
    """

    render: Callable[[Errand, M_contra], Response]
    is_wanted: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a step that the person has done.

    Attributes:
        pending: the request, in which the step is marked as done.
        decision: the person's answer to the consent question. It counts for one evaluation.
        signed_in: the new session of the browser, if the step began one.
    """

    pending: PendingRequest
    decision: Decision | None = None
    signed_in: BrowserSignedIn | None = None


@dataclass(frozen=True, slots=True)
class Step(Generic[M]):
    """A step.

    Attributes:
        path: the path of its page.
        serves: the type of `Missing` that the step resolves.
        find_missing: finds out whether that is missing.
        show: makes the page for a GET.
        act: processes the form. The result is that the step is done, its page again, or another answer.
        choose_entrance: chooses the page at which a person enters the step, if that is not always `path`.
        opens: begins an errand for a person who opens the page without a request; None if the step needs a request.
    """

    path: str
    serves: type[M]
    find_missing: Check
    show: Callable[[], View[M]]
    act: Callable[[Errand], Done | View[M] | Response]
    choose_entrance: Callable[[M], str] | None = None
    opens: Callable[[], Errand] | None = None

    def find_entrance(self, missing: M) -> str:
        """Find the page to which a person goes for `missing`."""
        return self.path if self.choose_entrance is None else self.choose_entrance(missing)


@dataclass(frozen=True, slots=True)
class Purpose:
    """A kind of request, and its answer when nothing is missing any more.

    Attributes:
        name: marks pending requests of this kind.
        path: the address at which a request begins, with its parameters as the query.
        evaluate: returns what is missing, found by the checks in their order, or the answer.
    """

    name: str
    path: str
    evaluate: Callable[[PendingRequest, Sequence[Check], Decision | None], Missing | Response]
