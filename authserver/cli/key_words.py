"""The output of `authserver keys`: listings, and sentences about the steps of a rotation."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import assert_never

from authserver.cli.output import Record
from authserver.keyring.keys import StoredKey
from authserver.keyring.sealing import sealed_by
from authserver.keyring.steps import (
    Activate,
    Compromise,
    Impossible,
    NothingDue,
    Promote,
    Redate,
    Retire,
    Stage,
    Step,
    TooEarly,
)

KEY_COLUMNS = ("state", "purpose", "algorithm", "since", "retires_at", "kid")
_INSTANTS = tuple(field.name for field in fields(StoredKey) if field.name.endswith("_at"))


def describe_key(key: StoredKey) -> Record:
    """Describe a key for listings. `master_key` is the fingerprint of the master key that seals it."""
    return {
        "kid": key.kid,
        "purpose": key.purpose.value,
        "algorithm": key.algorithm,
        "state": key.state.value,
        "since": key.since,
        "master_key": None if key.sealed is None else sealed_by(key.sealed),
        **{name: getattr(key, name) for name in _INSTANTS},
    }


def say_step(step: Step) -> str:  # noqa: PLR0911 - one line for each kind of step
    """Say in one line what a step did, or why it did nothing."""
    match step:
        case Activate(purpose, algorithm):
            return f"{purpose}: a new {algorithm} key is active"
        case Stage(purpose, algorithm, withdrawn):
            instead = f"; {withdrawn}, which never signed, is withdrawn" if withdrawn else ""
            return f"{purpose}: a new {algorithm} key is next{instead}"
        case Promote(purpose, kid, predecessor, algorithm):
            retiring = f", {predecessor} is retiring" if predecessor else ""
            return f"{purpose}: {kid} is active{retiring}, a new {algorithm} key is next"
        case Retire(purpose, kid):
            return f"{purpose}: {kid} is retired and destroyed"
        case Redate(purpose, kid):
            return f"{purpose}: {kid} had a date in the future; its state now counts from this moment"
        case Compromise(purpose, kid, successor, algorithm):
            return f"{purpose}: {kid} is out of use and destroyed" + _say_gap(successor, algorithm)
        case NothingDue():
            return "nothing to do: already done"
        case TooEarly(kid, ready_at):
            return f"too early: {kid} is not ready before {_write(ready_at)}"
        case Impossible(reason):
            return reason
    assert_never(step)


def say_until(steps: Iterable[Step]) -> str:
    """Say in one line when the next step is due, for a rotation that had nothing to do."""
    moments: list[datetime] = []
    for step in steps:
        match step:
            case NothingDue(datetime() as moment) | TooEarly(ready_at=moment):
                moments.append(moment)
            case _:
                pass
    return f"nothing is due before {_write(min(moments))}" if moments else "nothing is due"


def _say_gap(successor: str | None, algorithm: str | None) -> str:
    if successor is not None:
        return f"; {successor} is active, a new {algorithm} key is next"
    return f"; a new {algorithm} key takes its place" if algorithm is not None else ""


def _write(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z"
