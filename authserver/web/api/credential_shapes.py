"""Bodies and answers of the calls about passwords, addresses and the whole account (contract §3)."""

from typing import Self

from pydantic import ConfigDict, Field, model_validator

from authserver.account.change_password import PasswordWasChanged
from authserver.account.reset_password import PasswordWasReset
from authserver.revocation import Receipt
from authserver.web.answers import Answer
from authserver.web.api.body import Body, refuse_member
from authserver.web.api.shapes import ReceiptAnswer, RevocationAnswer, TokensAnswer, without_default


class ChangePasswordBody(Body):
    """The current password and the new one."""

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
    """Proof that the user is calling, and not somebody else at their device."""

    current_password: str


class AddressBody(Body):
    """An address, known or unknown."""

    email: str


class LinkBody(Body):
    """The token of a mailed link."""

    token: str


class ResetPasswordBody(Body):
    """The token of a mailed link, and the new password."""

    token: str
    new_password: str


class ChangeEmailBody(Body):
    """The new address. It takes effect when the link that is mailed to it is used."""

    new_email: str
    current_password: str


class ProfileBody(Body):
    """The new values of the user's profile; at least one member."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: str = Field("", description="How to address the person.", json_schema_extra=without_default)
    given_name: str = Field("", description="First name or names.", json_schema_extra=without_default)
    family_name: str = Field("", description="Last name or names.", json_schema_extra=without_default)
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
    """An empty object. The result is sent by mail."""


class PasswordChangedAnswer(TokensAnswer):
    """The new tokens of the calling session, and what ended."""

    revocation: ReceiptAnswer

    @classmethod
    def of_change(cls, changed: PasswordWasChanged, *, in_cookie: bool) -> "PasswordChangedAnswer":
        """Convert `changed`. With `in_cookie`, the tokens that the browser keeps in cookies are left out."""
        tokens = TokensAnswer.of(changed.tokens, in_cookie=in_cookie)
        return cls(**tokens.model_dump(), revocation=ReceiptAnswer.of(changed.receipt))


class ResetAnswer(RevocationAnswer):
    """What ended, and the token of the device that set the password."""

    device_token: str = Field(
        description="For `/api/login` on this device, which then has its own limit for sign-in attempts, for 90 days."
    )

    @classmethod
    def of_reset(cls, done: PasswordWasReset) -> "ResetAnswer":
        """Convert `done`."""
        return cls(revocation=ReceiptAnswer.of(done.receipt), device_token=done.device_token.reveal())


class ConfirmedAnswer(Answer):
    """The address is confirmed."""

    revocation: ReceiptAnswer | None = Field(description="null for a new user: nothing had to end.")

    @classmethod
    def of(cls, receipt: Receipt | None) -> "ConfirmedAnswer":
        """Convert the receipt of a confirmation; None for a new user."""
        return cls(revocation=None if receipt is None else ReceiptAnswer.of(receipt))
