"""The test plans that are run, and with which clients."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_CLIENTS: Final = {"client": "first", "client2": "second", "client_secret_post": "third"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A test plan of the suite.

    Attributes:
        name: the suite's name for it.
        title: its name on the page of results.
        variant: which of its variants is run.
        clients: the suite's names of clients, and which of `Installation.clients` each is.
        other_clients: modules that are run with another client as the suite's `client`.
        refused: modules in which the person does not allow what the client asks for.
    """

    name: str
    title: str
    variant: Mapping[str, str] = field(default_factory=dict)
    clients: Mapping[str, str] = field(default_factory=lambda: _CLIENTS)
    other_clients: Mapping[str, str] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()


_STATIC: Final = {"client_registration": "static_client"}

PLANS: Final = (
    Plan("oidcc-config-certification-test-plan", "Config OP"),
    Plan(
        "oidcc-basic-certification-test-plan",
        "Basic OP",
        {"server_metadata": "discovery", **_STATIC},
        other_clients={"oidcc-ensure-request-without-nonce-succeeds-for-code-flow": "unprotected"},
    ),
    Plan(
        "oidcc-rp-initiated-logout-certification-test-plan",
        "RP-Initiated Logout OP",
        {"response_type": "code", **_STATIC},
    ),
    Plan(
        "oidcc-backchannel-rp-initiated-logout-certification-test-plan",
        "Back-Channel Logout OP",
        {"response_type": "code", **_STATIC},
        {"client": "listening"},
    ),
)
"""What a run without further arguments runs, and the page of results has. No module of them may fail."""

FAPI: Final = Plan(
    "fapi2-security-profile-final-test-plan",
    "FAPI 2.0 Security Profile",
    {
        "fapi_profile": "plain_fapi",
        "authorization_request_type": "simple",
        "openid": "openid_connect",
        "client_auth_type": "private_key_jwt",
        "sender_constrain": "dpop",
    },
    {"client": "bound", "client2": "bound_too"},
    refused=frozenset({"fapi2-security-profile-final-user-rejects-authentication"}),
)
"""Run only when it is asked for by name."""
