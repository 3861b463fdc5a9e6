"""The threads of a worker, divided by purpose. The assembly sizes the pool of connections by them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Places:
    """The limits of requests at once in one worker, by what they are doing.

    Attributes:
        turns: requests in the database.
        crowd: requests that may need the database: they use it, wait for it, or hash a password.
        door: of those, requests at the same door.
        feed: reads of the revocation feed. They share one query and are mostly answered from memory.
        aside: requests that are turned away as soon as they are read.
        threads: `crowd`, `feed` and `aside` together, and some for requests that are answered from memory alone.
    """

    turns: int
    crowd: int
    door: int
    feed: int
    aside: int
    threads: int


def share_out(threads: int) -> Places:
    """Divide the places of a worker by `threads`, the value of `AUTHSERVER_THREADS`."""
    turns = max(threads // 3, 1)
    crowd, door, feed, aside, rest = (factor * turns for factor in (20, 16, 4, 2, 2))
    return Places(turns, crowd, door, feed, aside, threads=crowd + feed + aside + rest)
