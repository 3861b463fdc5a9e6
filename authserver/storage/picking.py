"""Which rows a step of pruning takes."""

from typing import Any

from sqlalchemy import Select, select


def pick_free(rows: Select[Any]) -> Select[Any]:
    """The keys that `rows` selects, chosen once, without the rows that somebody else is working on; for an `IN`.

    As a subquery of `IN` alone, PostgreSQL may run them again for each row that it compares. Rows that are locked for
    this very statement are passed over, so each run finds the next ones, and a LIMIT limits nothing.
    """
    # Inside the subquery: Python's SQLite counts no changed rows for a statement that begins with WITH.
    picked = rows.with_for_update(skip_locked=True).cte(nesting=True)
    return select(*picked.prefix_with("MATERIALIZED", dialect="postgresql").c)
