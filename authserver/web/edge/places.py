"""How the threads of a worker are shared out. Known to the assembly, which sizes the pool of connections by it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Places:
    """How the threads of a worker are shared out.

    Attributes:
        turns: requests in the database.
        crowd: requests under way that may need the database: in it, waiting for it, hashing a password.
        door: of those, at any one door.
        feed: readers of the revocation feed, who share a look at the database and are mostly answered from memory.
        aside: requests that are turned away as soon as they are read.
        threads: all of them, and some for what is answered from memory alone.
    """

    turns: int
    crowd: int
    door: int
    feed: int
    aside: int
    threads: int


def share_out(threads: int) -> Places:
    """The places of a worker that works on so many requests at once (`AUTHSERVER_THREADS`)."""
    turns = max(threads // 3, 1)
    crowd, door, feed, aside, rest = (factor * turns for factor in (20, 16, 4, 2, 2))
    return Places(turns, crowd, door, feed, aside, threads=crowd + feed + aside + rest)
