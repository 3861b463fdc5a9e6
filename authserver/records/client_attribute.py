"""How an attribute of a client is declared: the form of its values, its meaning, and its names.

`ClientSettings` (`records/client_settings.py`) declares the attributes. What reads or writes values (statements,
commands, checks) matches on their form, so a new attribute needs no line there; a new form does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from authserver.protocol.client_metadata import ClientKind

FindFault = Callable[[str, ClientKind], str | None]
"""Why a client of this kind may not have this value, as the end of a sentence; None if it may."""


@dataclass(frozen=True, slots=True)
class Line:
    """A `str`: one printable line of 1 to `longest` characters."""

    longest: int


@dataclass(frozen=True, slots=True)
class Switch:
    """A `bool`."""


@dataclass(frozen=True, slots=True)
class Words:
    """A `tuple[str, ...]` of distinct values without spaces. Metadata has an array."""

    find_fault: FindFault


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """A `tuple[str, ...]` of distinct scopes. Metadata has one string, with spaces between them (RFC 7591 §2)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A member of `of`; None lets the server choose, at the registration or, where it stays None, at each request."""

    of: type[Enum]


@dataclass(frozen=True, slots=True)
class Length:
    """A `timedelta` of whole seconds; None where the installation's value applies."""


@dataclass(frozen=True, slots=True)
class Address:
    """A `str`, the URL of a page or image that browsers open; None where there is none."""


@dataclass(frozen=True, slots=True)
class CalledAddress:
    """A `str`, a URL that this server itself calls; None where there is none."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """A `str`, a JWK Set of public keys as JSON (RFC 7517 §5); None where there is none."""


@dataclass(frozen=True, slots=True)
class ScopeTable:
    """A `ScopeTexts`: scope → language → text."""


@dataclass(frozen=True, slots=True)
class Name:
    """A `str`, one of `of`; None where the installation's applies."""

    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimTable:
    """A `Mapping[str, str]`: claim → what it holds, one of `protocol.mapped_claims.SOURCES`."""


Form = (
    Line
    | Switch
    | Words
    | ScopeWords
    | Choice
    | Name
    | Length
    | Address
    | CalledAddress
    | KeySet
    | ScopeTable
    | ClaimTable
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """The declaration of one attribute.

    Attributes:
        meaning: one sentence for `--help` and `docs/clients.md`.
        each: the name of one value of several, for the command's option and for errors; None: the attribute's name.
        metadata: the name in client metadata (RFC 7591 §2), None where there is none.
        has_column: whether a column of the attribute's name holds it. Another column may imply it.
    """

    form: Form
    meaning: str
    each: str | None = None
    metadata: str | None = None
    has_column: bool = True
