"""A mail that a credential event causes."""

from dataclasses import dataclass

from authserver.records.link import LinkPurpose


@dataclass(frozen=True, slots=True)
class Notice:
    """To whom, about what (the name of a template), and the link in it, if any."""

    template: str
    address: str
    link: LinkPurpose | None = None
