"""Listings: a table for people, JSON for programs, from the same records."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from authserver.cli.output import Record, print_list, print_record

RECORD: Record = {
    "sid": "s1",
    "clients": ("web", "app"),
    "name": "",
    "current": True,
    "created_at": datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC),
    "lifetime": timedelta(minutes=5),
    "ended_at": None,
    "token_version": 7,
}


def test_json_has_every_member_with_times_and_durations_in_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("sessions", [RECORD], columns=["sid"], as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "sessions": [
            {
                "sid": "s1",
                "clients": ["web", "app"],
                "name": "",
                "current": True,
                "created_at": 1767323045,
                "lifetime": 300,
                "ended_at": None,
                "token_version": 7,
            }
        ]
    }


def test_a_table_has_the_columns_asked_for_aligned_under_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("sessions", [RECORD], columns=["clients", "created_at", "name", "current"], as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "CLIENTS  CREATED AT            NAME  CURRENT",
        "web app  2026-01-02 03:04:05Z  -     yes",
    ]


def test_an_empty_listing_is_an_empty_array_or_only_the_header(capsys: pytest.CaptureFixture[str]) -> None:
    print_list("users", [], columns=["email"], as_json=True)
    print_list("users", [], columns=["email"], as_json=False)
    assert capsys.readouterr().out == '{\n  "users": []\n}\nEMAIL\n'


def test_one_record_is_one_member_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_record({"token_version": 7, "lifetime": timedelta(seconds=60)}, as_json=False)
    assert capsys.readouterr().out == "token version: 7\nlifetime:      60 s\n"
