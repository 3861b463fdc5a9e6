"""What can be wrong with the database as a whole: exceptions, because nothing was done and nothing can be.

A door answers them with 503, a command with one line and exit status 1.
"""


class StorageUnavailableError(Exception):
    """The database is away, full or too slow. The request was not done and may be repeated."""


class UnknownRevisionError(Exception):
    """The database says that it is at a revision which no release has: it belongs to something else."""
