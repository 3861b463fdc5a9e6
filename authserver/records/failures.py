"""Failures of the database as a whole. They are exceptions, because nothing was done and nothing can be done.

A door answers them with 503, a command with one line and exit status 1.
"""


class StorageUnavailableError(Exception):
    """The database is unreachable, full or too slow. The request was not carried out and may be repeated."""


class UnknownRevisionError(Exception):
    """The database is at a revision that no release has, so it belongs to another program."""
