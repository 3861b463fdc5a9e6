"""A mail that a credential event causes."""

from dataclasses import dataclass

from authserver.records.link import LinkPurpose


@dataclass(frozen=True, slots=True)
class Notice:
    """The recipient of a mail, its subject (the name of a template), and its link, if any."""

    template: str
    address: str
    link: LinkPurpose | None = None
