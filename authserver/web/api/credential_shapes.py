"""What the calls about passwords, addresses and the whole account take and answer, member by member (contract §3)."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from authserver.account.change_password import PasswordWasChanged
from authserver.account.reset_password import PasswordWasReset
from authserver.revocation import Receipt
from authserver.web.answers import Answer
from authserver.web.api.body import Body, refuse_member
from authserver.web.api.shapes import ReceiptAnswer, RevocationAnswer, TokensAnswer, without_default


class ChangePasswordBody(Body):
    """The password that is, and the one that shall be."""

    current_password: str
    new_password: str
    logout_devices: bool = Field(
        default=True,
        description=(
            "Whether all other devices are signed out. With false they stay signed in, if the policy allows it, and"
            " refresh once."
        ),
    )


class CurrentPasswordBody(Body):
    """Proof that it is the user who asks, and not somebody at his device."""

    current_password: str


class AddressBody(Body):
    """An address that may be known or not."""

    email: str


class LinkBody(Body):
    """The token of a link that was mailed."""

    token: str


class ResetPasswordBody(Body):
    """The token of a link that was mailed, and the password that shall be."""

    token: str
    new_password: str


class ChangeEmailBody(Body):
    """The address that shall be, once a link that is mailed to it was used."""

    new_email: str
    current_password: str


class ProfileBody(Body):
    """What the user says of himself from now on; at least one member."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: str = Field("", description="How to address the person.", json_schema_extra=without_default)
    phone_number: str = Field("", description="E.164: `+` and 4 to 15 digits.", json_schema_extra=without_default)
    address: str = Field(
        "", description="A postal address: at most 300 characters, with line breaks.", json_schema_extra=without_default
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            refuse_member("missing", "At least one member is required.")
        return self


class AcceptedAnswer(Answer):
    """Nothing: whatever comes of it, comes by mail."""


class PasswordChangedAnswer(TokensAnswer):
    """The tokens with which the session that asked goes on, and what ended."""

    revocation: ReceiptAnswer

    @classmethod
    def of_change(cls, changed: PasswordWasChanged, *, in_cookie: bool) -> "PasswordChangedAnswer":
        """The shape of `changed`; without the refresh token that is `in_cookie`."""
        tokens = TokensAnswer.of(changed.tokens, in_cookie=in_cookie)
        return cls(**tokens.model_dump(), revocation=ReceiptAnswer.of(changed.receipt))


class ResetAnswer(RevocationAnswer):
    """What ended, and the token of the device that set the password."""

    device_token: str = Field(
        description="For `/api/login` on this device, which then has its own limit for sign-in attempts, for 90 days."
    )

    @classmethod
    def of_reset(cls, done: PasswordWasReset) -> "ResetAnswer":
        """The shape of `done`."""
        return cls(revocation=ReceiptAnswer.of(done.receipt), device_token=done.device_token.reveal())


class ConfirmedAnswer(Answer):
    """The address is confirmed."""

    revocation: ReceiptAnswer | None = Field(description="null for a new user: nothing had to end.")

    @classmethod
    def of(cls, receipt: Receipt | None) -> "ConfirmedAnswer":
        """The shape of what a confirmation came to."""
        return cls(revocation=None if receipt is None else ReceiptAnswer.of(receipt))
