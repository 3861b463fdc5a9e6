"""An error in what somebody sent, in a form that all doors can show."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error in one member of the input."""

    field: str
    code: str
    message: str
