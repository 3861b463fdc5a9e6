"""What the database has no place for."""

import re

from authserver.storage.schema import Base

_HINT = re.compile(r"hint|question|answer|reminder|mother|birth|secret_word|clear|plain")


def test_no_column_is_for_hints_or_questions() -> None:
    """ASVS 6.4.2: nothing that stands in for a password, and nothing that helps to guess one."""
    columns = [f"{table.name}.{column.name}" for table in Base.metadata.sorted_tables for column in table.columns]
    assert "users.password_hash" in columns
    assert [column for column in columns if _HINT.search(column)] == []
