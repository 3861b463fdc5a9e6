"""Imports users of another system, with their password hashes: a whole file in one transaction, or nothing of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from authserver.account.register import record_created
from authserver.administration.rehearsal import write_if
from authserver.credentials.email_address import InvalidEmail, canonicalise_email
from authserver.protocol.entropy import new_id
from authserver.protocol.text import is_storable
from authserver.realm import Realm
from authserver.records.audit import Actor
from authserver.records.user import NewUser
from authserver.records.user_rules import find_name_errors, find_role_errors
from authserver.storage import Transaction, users


@dataclass(frozen=True, slots=True)
class Arrival:
    """One user of the file, not yet checked. Without a hash, they set a password by mail before the first sign-in."""

    line: int
    email: str
    name: str
    password_hash: str | None = field(repr=False)
    roles: tuple[str, ...]
    email_verified: bool


@dataclass(frozen=True, slots=True)
class LineProblem:
    """Why a line cannot be imported. `message` contains no hash."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The number of created users, and the lines that could not be imported."""

    count: int
    problems: tuple[LineProblem, ...]


def import_users(
    realm: Realm,
    arrivals: Sequence[Arrival | LineProblem],
    *,
    by: Actor,
    skip_bad: bool = False,
    dry_run: bool = False,
) -> Imported:
    """Create all users of `arrivals`. If a line has a problem, create none, or with `skip_bad` all others.

    A dry run gives the same result and creates nobody.
    """
    checked = list(_check(realm, arrivals))
    problems = [one for one in checked if isinstance(one, LineProblem)]
    good = [one for one in checked if not isinstance(one, LineProblem)]
    with write_if(realm, lambda: not dry_run and (skip_bad or not problems)) as tx:
        taken = _add_all(tx, realm, good, by)
        problems += taken
    count = len(good) - len(taken) if skip_bad or not problems else 0
    return Imported(count, tuple(sorted(problems, key=lambda problem: problem.line)))


def _add_all(tx: Transaction, realm: Realm, arrivals: Iterable[tuple[int, NewUser]], by: Actor) -> list[LineProblem]:
    now, problems = realm.clock.now(), []
    for line, user in arrivals:
        if not users.add(tx, user, now):
            problems.append(LineProblem(line, f"{user.email} is already registered"))
        else:
            record_created(tx, user, by=by, now=now, entropy=realm.entropy)
    return problems


def _check(realm: Realm, arrivals: Iterable[Arrival | LineProblem]) -> Iterator[tuple[int, NewUser] | LineProblem]:
    """Check each line; yield its number and user, or all its problems."""
    seen: dict[str, int] = {}
    for arrival in arrivals:
        if isinstance(arrival, LineProblem):
            yield arrival
            continue
        address = canonicalise_email(arrival.email)
        messages = list(_find_problems(realm, arrival, address, seen))
        if messages or isinstance(address, InvalidEmail):
            yield LineProblem(arrival.line, "; ".join(messages))
            continue
        seen[address] = arrival.line
        user_id, hashed = new_id(realm.entropy), arrival.password_hash
        yield (
            arrival.line,
            NewUser(user_id, address, arrival.name, hashed, arrival.roles, email_verified=arrival.email_verified),
        )


def _find_problems(realm: Realm, arrival: Arrival, address: str | InvalidEmail, seen: dict[str, int]) -> Iterator[str]:
    if isinstance(address, InvalidEmail):
        yield f"email: {address.message}"
    elif address in seen:
        yield f"email: same as in line {seen[address]}"
    yield from (f"name: {error.message}" for error in find_name_errors(arrival.name))
    yield from (f"roles: {error.message}" for error in find_role_errors(arrival.roles))
    if arrival.password_hash is not None:
        known = is_storable(arrival.password_hash)
        problem = (
            realm.passwords.hasher.find_problem(arrival.password_hash) if known else "is not in a known hash format"
        )
        if problem is not None:
            yield f"password_hash: {problem}"
