"""E-mail addresses in one canonical spelling, so that different ways to type an address lead to one user.

Checks the form only. NOT checked: whether the address exists and whose it is; only a mail to it can show that.
Addresses at names outside the public Internet (`example.test`, `localhost`, a company's `.local`) are accepted.
"""

from dataclasses import dataclass
from typing import Final

import idna
from email_validator import EmailNotValidError, validate_email

from authserver.protocol.text import normalise

LONGEST_EMAIL: Final = 254  # octets, RFC 5321 §4.5.3.1.3

_OUTER_WHITESPACE = " \t\r\n\N{NO-BREAK SPACE}"
_ANY_HOST = "example.org"


@dataclass(frozen=True, slots=True)
class InvalidEmail:
    """The text is not an address to which mail could be sent."""

    code: str = "invalid_email"
    message: str = "This is not an e-mail address."


def canonicalise_email(text: str) -> str | InvalidEmail:
    """The canonical spelling of `text`: NFC, lower case, the domain in its ASCII form (IDNA 2008, UTS 46).

    The local part is folded, too. RFC 5321 lets hosts tell `Bob` from `bob`, but none does, and two users who differ
    only by case would be confused. Outer whitespace is removed; nothing else is repaired. Quoted local parts, comments,
    display names and addresses in brackets are refused. Idempotent.
    """
    trimmed = text.strip(_OUTER_WHITESPACE)
    if len(trimmed) > LONGEST_EMAIL or trimmed.count("@") != 1:
        return InvalidEmail()
    local, domain = trimmed.split("@")
    try:
        address = f"{_canonicalise_local_part(local)}@{_canonicalise_domain(domain)}"
    except (EmailNotValidError, idna.IDNAError):
        return InvalidEmail()
    return address if len(address.encode()) <= LONGEST_EMAIL else InvalidEmail()


def _canonicalise_local_part(local: str) -> str:
    folded = normalise(normalise(local).lower())
    # Checked with a host of the public Internet, because the library refuses special-use hosts (RFC 6761).
    return str(validate_email(f"{folded}@{_ANY_HOST}", check_deliverability=False, strict=True).local_part)


def _canonicalise_domain(domain: str) -> str:
    ascii_form = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    if ascii_form.endswith(".") or ascii_form.rpartition(".")[2].isdecimal():
        raise idna.IDNAError("a root dot or an IP address")
    return ascii_form
