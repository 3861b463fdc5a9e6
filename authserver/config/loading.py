"""Reads the environment and the TOML file, and collects all of their errors."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from authserver.config.settings import PREFIX, Settings

_PATHS: Final = frozenset({"HOME", "KEYS_DIR", "LOGO"})
_NOT_SETTINGS: Final = frozenset({"CONFIG", "TEST_POSTGRES"})
# Variables that Kubernetes and Docker set in every container beside a Service named `authserver` or `authserver-…`
# (kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
_OF_A_SERVICE: Final = re.compile(
    PREFIX + r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)", re.ASCII
)
_REMEDIES: Final = {
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number",
    "string_pattern_mismatch": "must not contain spaces",
    "string_too_short": "must not be empty",
}


class SettingsError(Exception):
    """The settings are unusable. `problems` has one line per setting, without any value."""

    def __init__(self, problems: list[str]) -> None:
        """Keep all problems."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def load_settings() -> Settings:
    """Load the settings of this process, or raise `SettingsError` with all of their errors."""
    names = frozenset(name.upper() for name in Settings.model_fields)
    problems = [
        _unknown(PREFIX + name, names, PREFIX)
        for name in sorted(variable.upper().removeprefix(PREFIX) for variable in os.environ if _is_ours(variable))
        if name not in names | _NOT_SETTINGS
    ]
    from_file: Mapping[str, Any] = {}
    try:
        from_file = _read_file(os.environ.get(f"{PREFIX}CONFIG"))
    except SettingsError as error:
        problems += error.problems
    problems += [_unknown(name, names, "") for name in sorted(from_file.keys() - names)]
    known = {name.lower(): value for name, value in from_file.items() if name in names}
    try:
        settings = Settings(**known)
    except ValidationError as error:
        problems += _say_problems(error)
        # `from None`: the chained error would carry the values.
        raise SettingsError(problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _is_ours(variable: str) -> bool:
    name = variable.upper()
    # An empty variable counts as absent: templates of deployments often leave one.
    return name.startswith(PREFIX) and os.environ[variable] != "" and not _OF_A_SERVICE.fullmatch(name)


def _read_file(path: str | None) -> Mapping[str, Any]:
    def refuse(problem: str) -> NoReturn:
        raise SettingsError([f"{PREFIX}CONFIG: {problem}: {path}"])

    if not path:
        return {}
    try:
        members = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        refuse(f"cannot be read ({error.strerror})")
    except ValueError as error:
        # The parser's message holds positions but no value, so nothing of the file's text is shown.
        refuse(f"is not valid TOML ({type(error).__name__}, {str(error).rpartition('(')[2].rstrip(')')})")
    found = {name.upper().removeprefix(PREFIX): value for name, value in members.items()}
    return {name: _below(path, value) if name in _PATHS else value for name, value in found.items()}


def _below(file: str, value: object) -> object:
    """Resolve a path in the file relative to the file's folder, not to the current folder of a command."""
    if not isinstance(value, str) or not value.strip() or value.startswith("~"):
        return value
    return str(Path(file).absolute().parent / value)


def _unknown(name: str, names: frozenset[str], prefix: str) -> str:
    near = difflib.get_close_matches(name.removeprefix(prefix), names, n=1)
    return f"{name}: no such setting" + (f"; did you mean {prefix}{near[0]}?" if near else "; remove it")


def _say_problems(error: ValidationError) -> list[str]:
    return [
        f"{PREFIX}{str(one['loc'][0]).upper()}: {problem}"
        for one in error.errors(include_input=False, include_url=False, include_context=False)
        # Skip a mere consequence of another error: a default that is derived from a wrong setting.
        if one["type"] != "default_factory_not_called"
        for problem in _say(one["type"], one["msg"]).splitlines()
    ]


def _say(kind: str, message: str) -> str:
    return _REMEDIES.get(kind, message.removeprefix("Value error, ").replace("Input should be", "must be"))
