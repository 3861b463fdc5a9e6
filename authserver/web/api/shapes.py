"""Bodies and answers of the JSON API (contract §2, §3). Instants are integer seconds since the epoch."""

import math
import re
from dataclasses import asdict
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)
from pydantic.config import JsonDict

from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.revocation import Receipt
from authserver.sessions.device import DEVICE_ID_PATTERN, DEVICE_NAME_LENGTH, is_device_id
from authserver.tokens.token_answer import AccessAnswer
from authserver.web.answers import Answer, SessionAnswer
from authserver.web.api.body import Body, refuse_member

_SCOPE_WORD = r"[\x21\x23-\x5b\x5d-\x7e]+"  # RFC 6749 §3.3
_GRANTED = frozenset({"device_token", "id_token", "refresh_token", "refresh_expires_in"})
_BODY, _COOKIE = "body", "cookie"
_SCOPE_PATTERN = rf"{_SCOPE_WORD}(?: {_SCOPE_WORD})*"
_SCOPE = re.compile(_SCOPE_PATTERN + r"\Z")


def _device_id(text: str) -> str:
    if not is_device_id(text):
        refuse_member("invalid_device_id", "A device id has 1 to 64 letters, digits or . _ ~ : - characters.")
    return text


def _scope(text: str) -> str:
    if not _SCOPE.match(text):
        refuse_member("invalid_scope", "A scope is one or more tokens, separated by single spaces.")
    return text


def _delivery(text: str) -> str:
    if text not in {_BODY, _COOKIE}:
        refuse_member("invalid_delivery", "Delivery is body or cookie.")
    return text


def without_default(schema: JsonDict) -> None:
    """Remove the default from a schema. Callers may omit the member; its internal default is no part of the API."""
    schema.pop("default", None)


_Scope = Annotated[str, AfterValidator(_scope), WithJsonSchema({"type": "string", "pattern": f"^{_SCOPE_PATTERN}$"})]
_DeviceId = Annotated[
    str, AfterValidator(_device_id), WithJsonSchema({"type": "string", "pattern": f"^{DEVICE_ID_PATTERN}$"})
]


class RegisterBody(Body):
    """The data of a new user."""

    email: str = Field(description="The user's e-mail address.")
    password: str = Field(description="1 to 1,024 characters. Errors name the minimum length and the other rules.")
    name: str = Field("", description="How to address the person.", json_schema_extra=without_default)


class LoginBody(Body):
    """A user's credentials, the client, and the device."""

    labels = MappingProxyType({"device_name": DEVICE_NAME_LENGTH})

    email: str
    password: str
    client_id: str = Field(FIRST_PARTY_CLIENT_ID, description="A client marked first-party.")
    scope: _Scope = Field(
        "",
        description="Tokens, separated by single spaces. Default: all that the client may have.",
        json_schema_extra=without_default,
    )
    device_id: _DeviceId = Field(
        "",
        description=(
            "From an earlier sign-in on this device, or chosen by the client. The device's earlier session ends."
            " Default: the server chooses one."
        ),
        json_schema_extra=without_default,
    )
    device_token: str = Field(
        "",
        description=(
            "From the last sign-in or password reset on this device, which then has its own limit that strangers"
            " cannot use up. A browser may send it as a cookie instead."
        ),
        json_schema_extra=without_default,
    )
    device_name: str = Field(
        "",
        description=(
            f"The name that the user sees in the list of devices. Cut to {DEVICE_NAME_LENGTH} characters on one"
            " line, never refused."
        ),
        json_schema_extra=without_default,
    )
    delivery: Annotated[str, AfterValidator(_delivery)] = Field(
        _BODY,
        description="`cookie`: for browsers. Scripts never see the refresh token; the page calls `/api/refresh`.",
        json_schema_extra={"enum": [_BODY, _COOKIE]},
    )

    @property
    def in_cookie(self) -> bool:
        """Whether the refresh token is delivered in a cookie."""
        return self.delivery == _COOKIE


class RefreshBody(Body):
    """A refresh by a browser whose refresh token is in a cookie."""

    client_id: str = Field(FIRST_PARTY_CLIENT_ID, description="A client marked first-party.")
    scope: _Scope = Field(
        "",
        description="Tokens that were granted, separated by single spaces. Default: all of them.",
        json_schema_extra=without_default,
    )


class RegisteredAnswer(Answer):
    """The new user."""

    user_id: str


class TokensAnswer(Answer):
    """The token answer (RFC 6749 §5.1)."""

    access_token: str
    token_type: Literal["Bearer", "DPoP"]
    expires_in: int = Field(description="Seconds.")
    refresh_token: str | None = Field(
        default=None,
        description="Absent if it is in a cookie, or if none was granted.",
        json_schema_extra=without_default,
    )
    refresh_expires_in: int | None = Field(
        default=None,
        description=(
            "Seconds until the refresh token expires if it is not used. Absent if no refresh token was granted."
        ),
        json_schema_extra=without_default,
    )
    scope: str
    sid: str = Field(description="The session.")
    device_id: str
    device_token: str | None = Field(
        default=None,
        description=(
            "A secret of this device, returned when the user has just entered their password. Send it to"
            " `/api/login`, so that strangers who try wrong passwords cannot block this device. It works for 90"
            " days, or until the password changes. Absent if it is in a cookie."
        ),
        json_schema_extra=without_default,
    )
    id_token: str | None = Field(
        default=None, description="Only with the scope `openid`; absent without.", json_schema_extra=without_default
    )

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_granted(self, serialise: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in serialise(self).items() if name not in _GRANTED or value is not None}

    @classmethod
    def of(cls, tokens: AccessAnswer, *, in_cookie: bool = False) -> "TokensAnswer":
        """Convert `tokens`. With `in_cookie`, the secrets that are in cookies are left out, so no script sees them."""
        return cls.model_validate(asdict(tokens) | ({"refresh_token": None, "device_token": None} if in_cookie else {}))


class SessionsAnswer(Answer):
    """The user's live sessions, most recently used first."""

    sessions: list[SessionAnswer]


class ReceiptAnswer(Answer):
    """What ended, and when it takes effect everywhere."""

    event: str
    sessions_ended: int
    sessions_kept: int
    mode: Literal["hard", "soft"]
    token_version: int | None = Field(description="The lowest version that is still valid.")
    effective_by: int = Field(
        description="After this time no old access token passes at resource servers that follow the revocation feed."
    )
    latest_by: int = Field(description="After this time no old access token passes anywhere.")

    @classmethod
    def of(cls, receipt: Receipt) -> "ReceiptAnswer":
        """Convert `receipt`. Its times are rounded up, so that the promise holds."""
        return cls(
            event=receipt.event,
            sessions_ended=receipt.sessions_ended,
            sessions_kept=receipt.sessions_kept,
            mode=receipt.mode.value,
            token_version=receipt.token_version,
            effective_by=math.ceil(receipt.effective_by.timestamp()),
            latest_by=math.ceil(receipt.latest_by.timestamp()),
        )


class RevocationAnswer(Answer):
    """The receipt of a revocation."""

    revocation: ReceiptAnswer

    @classmethod
    def of(cls, receipt: Receipt) -> "RevocationAnswer":
        """Convert `receipt`."""
        return cls(revocation=ReceiptAnswer.of(receipt))


class FieldErrorAnswer(Answer):
    """An error in one member. `field` is empty if it concerns the body as a whole."""

    field: str
    code: str
    message: str


class ProblemAnswer(Answer):
    """A refusal (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable, for programs.")
    errors: list[FieldErrorAnswer] = Field(default=[], description="On 422: every problem with the input.")
    soft_logout: bool = Field(
        default=False, description="On 401: whether the client may keep its local state and sign in again."
    )
