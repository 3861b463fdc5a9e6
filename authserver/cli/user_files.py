"""Files of users that other systems export: CSV with a header, or one JSON object per line."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from authserver.administration.import_users import Arrival, LineProblem
from authserver.jose import strict_json
from authserver.jose.errors import InvalidJsonError

MEMBERS: Final = ("email", "name", "password_hash", "roles", "email_verified")
FORMATS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""Ending of the file name → format."""

_TRUTHS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": True}


class UnreadableFileError(Exception):
    """The file as a whole cannot be read. The message says why."""


def read_users(file: Path, form: str) -> list[Arrival | LineProblem]:
    """Read the users in `file`. A line that cannot be read becomes a `LineProblem`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError("is not UTF-8 text") from None
    return list(_read_csv(text) if form == "csv" else _read_json_lines(text))


def _read_csv(text: str) -> Iterator[Arrival | LineProblem]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="", restval=None)
    try:
        header = reader.fieldnames or []
        unknown = [name for name in header if name not in MEMBERS]
        if unknown or "email" not in header or len(set(header)) != len(header):
            raise UnreadableFileError(f"needs a header with email and some of {', '.join(MEMBERS[1:])}")
        for row in reader:
            if "" in row or None in row.values():
                yield LineProblem(reader.line_num, "does not have as many cells as the header")
            else:
                yield _build(reader.line_num, row)
    except csv.Error as error:
        raise UnreadableFileError(f"is not valid CSV in line {reader.line_num}: {error}") from None


def _read_json_lines(text: str) -> Iterator[Arrival | LineProblem]:
    # `splitlines()` would also split at characters that may occur inside a JSON string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = strict_json.loads(line.encode("utf-8"))
        except InvalidJsonError:
            row = None
        yield _build(number, row) if isinstance(row, dict) else LineProblem(number, "is not a JSON object")


def _build(line: int, row: Mapping[str, object]) -> Arrival | LineProblem:
    unknown = [name for name in row if name not in MEMBERS]
    if unknown:
        return LineProblem(line, f"unknown member {unknown[0]!r}; the members are {', '.join(MEMBERS)}")
    email, name, hashed = row.get("email"), row.get("name", ""), row.get("password_hash")
    roles, verified = _read_roles(row.get("roles", "")), _read_truth(row.get("email_verified", ""))
    if not isinstance(email, str):
        return LineProblem(line, "email is missing")
    if not isinstance(name, str) or not isinstance(hashed, str | None):
        return LineProblem(line, "name and password_hash must be strings")
    if roles is None:
        return LineProblem(line, "roles must be words separated by spaces, or a list of words")
    if verified is None:
        return LineProblem(line, "email_verified must be true or false")
    return Arrival(line, email, name, hashed or None, roles, verified)


def _read_roles(value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return tuple(dict.fromkeys(value.split()))
    if isinstance(value, list) and all(isinstance(role, str) for role in value):
        return tuple(dict.fromkeys(value))
    return None


def _read_truth(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return _TRUTHS.get(value.strip().lower()) if isinstance(value, str) else None
