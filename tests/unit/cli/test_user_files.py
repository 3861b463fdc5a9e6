"""Files of users: what a line says, and what is said about a line that says nothing clear."""

from pathlib import Path

import pytest

from authserver.administration.import_users import Arrival, LineProblem
from authserver.cli.user_files import UnreadableFileError, read_users


def read(folder: Path, text: str | bytes, form: str) -> list[Arrival | LineProblem]:
    file = folder / f"users.{form}"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_users(file, form)


def test_csv_has_its_members_by_the_header(tmp_path: Path) -> None:
    header = "\ufeffname,email,roles,password_hash,email_verified\r\n"
    text = header + "Ada,ada@x.test,admin editor,$2b$..,no\r\n,b@x.test,,,\r\n"
    assert read(tmp_path, text, "csv") == [
        Arrival(2, "ada@x.test", "Ada", "$2b$..", ("admin", "editor"), email_verified=False),
        Arrival(3, "b@x.test", "", None, (), email_verified=True),
    ]


def test_a_csv_cell_may_hold_commas_quotes_and_odd_line_ends(tmp_path: Path) -> None:
    (arrival,) = read(tmp_path, 'email,name\na@x.test,"Love""lace, Ada\u2028"\n', "csv")
    assert isinstance(arrival, Arrival)
    assert arrival.name == 'Love"lace, Ada\u2028'


def test_json_lines_have_one_object_each(tmp_path: Path) -> None:
    text = '{"email": "a@x.test", "roles": ["admin", "admin"], "email_verified": false}\n\n{"email": "b@x.test"}'
    assert read(tmp_path, text, "jsonl") == [
        Arrival(1, "a@x.test", "", None, ("admin",), email_verified=False),
        Arrival(3, "b@x.test", "", None, (), email_verified=True),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "is not a JSON object"),
        ("[]", "is not a JSON object"),
        ('{"email": "a@x.test", "email": "b@x.test"}', "is not a JSON object"),
        ('{"email": "a@x.test", "admin": true}', "unknown member 'admin'"),
        ("{}", "email is missing"),
        ('{"email": 1}', "email is missing"),
        ('{"email": "a@x.test", "name": 1}', "name and password_hash must be strings"),
        ('{"email": "a@x.test", "password_hash": 1}', "name and password_hash must be strings"),
        ('{"email": "a@x.test", "roles": [1]}', "roles must be words"),
        ('{"email": "a@x.test", "email_verified": "perhaps"}', "email_verified must be true or false"),
        ('{"email": "a@x.test", "email_verified": 1}', "email_verified must be true or false"),
    ],
)
def test_a_line_that_is_not_clear_is_a_problem_with_its_number(tmp_path: Path, line: str, problem: str) -> None:
    good, bad = read(tmp_path, '{"email": "good@x.test"}\n' + line, "jsonl")
    assert isinstance(good, Arrival)
    assert isinstance(bad, LineProblem)
    assert bad.line == 2
    assert bad.message.startswith(problem)


@pytest.mark.parametrize("row", ["a@x.test", "a@x.test,Ada,more"])
def test_a_csv_line_has_as_many_cells_as_the_header(tmp_path: Path, row: str) -> None:
    assert read(tmp_path, f"email,name\n{row}\n", "csv") == [
        LineProblem(2, "does not have as many cells as the header")
    ]


@pytest.mark.parametrize(
    "text", [b"", b"name\nAda\n", b"email,admin\n", b"email,email\n", b'email\n"a', b"\xff\xfe", b'email\n"a"b\n']
)
def test_a_file_that_is_no_such_table_is_refused_as_a_whole(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(UnreadableFileError):
        read(tmp_path, text, "csv")
