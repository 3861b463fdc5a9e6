"""Which texts may come in at all."""


def is_storable(text: str) -> bool:
    """Whether every engine can keep `text` as it is: no NUL (PostgreSQL refuses it), no lone surrogates (no UTF-8)."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
