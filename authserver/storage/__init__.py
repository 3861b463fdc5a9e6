"""Tables and statements; the only room that imports SQLAlchemy at run time, and the only builder of engines.

Statement functions take the transaction as their first argument and return frozen values: nullable columns are decoded
here, once. They decide nothing and never commit.
"""

from sqlalchemy import Connection as Transaction

from authserver.storage.database import CompiledStatement, Database, open  # noqa: A004

__all__ = ["CompiledStatement", "Database", "Transaction", "open"]
