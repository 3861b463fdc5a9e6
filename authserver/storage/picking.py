"""Selects the rows that a step of pruning removes."""

from typing import Any

from sqlalchemy import Select, select


def pick_free(rows: Select[Any]) -> Select[Any]:
    """Select the keys of `rows` once, without rows that others have locked; for use in an `IN`.

    PostgreSQL may run a plain subquery of `IN` again for each row that it compares. It skips the rows that this very
    statement has locked, so each run finds the next ones, and a LIMIT has no effect.
    """
    # WITH stands inside the subquery: Python's SQLite reports no row count for a statement that begins with WITH.
    picked = rows.with_for_update(skip_locked=True).cte(nesting=True)
    return select(*picked.prefix_with("MATERIALIZED", dialect="postgresql").c)
