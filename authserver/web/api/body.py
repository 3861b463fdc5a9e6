"""Request bodies: unambiguous JSON with exactly the members of the model. No value is converted.

A refusal names members and never repeats a value, because some of them are passwords.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, LiteralString, NoReturn

from apiflask.schema_adapters import registry
from apiflask.schema_adapters.pydantic import PydanticAdapter
from flask import Request
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, ValidationInfo, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError
from typing_extensions import override

from authserver.jose import strict_json
from authserver.jose.errors import InvalidJsonError
from authserver.protocol.text import LONGEST_TEXT, STORABLE_PATTERN, clean_line, is_storable
from authserver.records.field_error import FieldError
from authserver.web.api.refusals import INVALID_INPUT, INVALID_JSON, UNSUPPORTED_MEDIA_TYPE, Refusal, refuse
from authserver.web.problem import ProblemError

INVALID_CHARACTER = ("invalid_character", "This member contains an invalid character.")
_OURS = "authserver_"  # tells our own error types from pydantic's
_MEDIA_TYPE = "application/json"
_MEMBER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
_MESSAGES = {
    "missing": ("missing", "This member is required."),
    "extra_forbidden": ("unknown_member", "Unknown member."),
    "string_too_long": ("too_long", "This value is too long."),
    "string_too_short": ("too_short", "This value is too short."),
}
_WRONG_TYPE = ("wrong_type", "This member has the wrong JSON type.")


class Body(BaseModel):
    """A request body. Unknown members and wrong JSON types are refused; `null` is a wrong type like any other.

    Attributes:
        labels: members that only name something for a person, and their greatest length. Their values are cleaned and
            cut instead of refused, so that a label never prevents a sign-in.
    """

    labels: ClassVar[Mapping[str, int]] = MappingProxyType({})

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: object, info: ValidationInfo) -> object:
        """Check the length and the characters of every text before other validators see it."""
        if not isinstance(value, str):
            return value
        if (longest := cls.labels.get(info.field_name or "")) is not None:
            return clean_line(value, longest)
        if len(value) > LONGEST_TEXT:
            refuse_member(*_MESSAGES["string_too_long"])
        if not is_storable(value):
            refuse_member(*INVALID_CHARACTER)
        return value

    @override
    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /) -> JsonSchemaValue:
        """Document what `_is_text` checks."""
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        for name, member in handler.resolve_ref_schema(schema)["properties"].items():
            if member.get("type") == "string" and name not in cls.labels and "enum" not in member:
                member.setdefault("pattern", STORABLE_PATTERN)
                member["maxLength"] = LONGEST_TEXT
        return schema


def refuse_member(code: LiteralString, message: LiteralString) -> NoReturn:
    """Refuse the member that is being validated. `message` says what is allowed, never what was given."""
    raise PydanticCustomError(_OURS + code, message)


class StrictAdapter(PydanticAdapter):
    """The reader behind APIFlask's `input`.

    APIFlask's own reader converts values, accepts every media type, and lets duplicate members pass.
    """

    @override
    def validate_input(self, request: Request, location: str, **kwargs: Any) -> BaseModel:
        """Read the body as a model.

        Raises:
            ProblemError: the media type is not JSON, the JSON is not valid, or the model refuses it.
        """
        if location != "json":
            raise NotImplementedError(location)
        if request.mimetype != _MEDIA_TYPE:
            _refuse(UNSUPPORTED_MEDIA_TYPE)
        try:
            value = strict_json.loads(request.get_data(cache=False), pairs_surrogates=False)
            model: BaseModel = self.model_class.model_validate(value)
        except InvalidJsonError:
            _refuse(INVALID_JSON)
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            _refuse(INVALID_INPUT, *map(_explain, details))
        return model


# Every model of an input derives from `Body`, so importing it has run this line.
registry.register("pydantic", StrictAdapter)


def _refuse(refusal: Refusal, *errors: FieldError) -> NoReturn:
    # The cause is left out, because pydantic's error holds the input.
    raise ProblemError(refuse(refusal, errors=errors)) from None


def _explain(error: ErrorDetails) -> FieldError:
    kind = error["type"]
    field = ".".join(str(part) for part in error["loc"])
    if not _MEMBER_NAME.match(field):
        field = ""
    if kind.startswith(_OURS):
        return FieldError(field, kind.removeprefix(_OURS), error["msg"])
    return FieldError(field, *_MESSAGES.get(kind, _WRONG_TYPE))
