"""The server and its OpenAPI document agree about the requests that can be made from the document (contract §3).

schemathesis reads the served document, sends requests that fit it and requests that do not, follows from one call to
the next, and runs all its checks on the answers: no 5xx; status, media type, headers and members as documented; what
does not fit is refused, what fits is not; no call without its access token; 405 with `Allow` for other methods.
"""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.engine import events
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.schemas import BaseSchema

from authserver.realm import Realm
from tests.support.people.api import Api
from tests.support.wire.served import served
from tests.support.world.realm import add_user

SEED = 1
# Beside what schemathesis itself expects. No schema can say which links work and which scopes a client has (400), nor
# which passwords are too common and which addresses can exist (422).
ACCEPTED = ["2xx", "400", "401", "403", "404", "409", "422", "429"]
OF_THE_SCHEMA = frozenset(
    ("missing", "unknown_member", "wrong_type", "invalid_character", "invalid_scope", "invalid_device_id")
)
"""Errors about what a schema can say. A request that fits the document has none of them."""


def _configure(examples: int) -> SchemathesisConfig:
    generation = {"max-examples": examples, "deterministic": True, "database": "none"}
    checks = {"positive_data_acceptance": {"expected-statuses": ACCEPTED}}
    return SchemathesisConfig.from_dict(
        {"seed": SEED, "generation": generation, "checks": checks, "cache": {"enabled": False}}
    )


def _call_as_new_users(schema: BaseSchema, api: Api, realm: Realm) -> None:
    """Give each call the access token of a new user, so that no call ends the session of another."""
    numbers = count()

    @schema.auth(refresh_interval=None)
    class NewUsers:
        def get(self, _case: schemathesis.Case[Any], _context: schemathesis.AuthContext) -> str:
            email = f"user{next(numbers)}@example.test"
            add_user(realm, email)
            token: str = api.sign_in(email)["access_token"]
            return token

        def set(self, case: schemathesis.Case[Any], token: str, _context: schemathesis.AuthContext) -> None:
            case.headers["Authorization"] = f"Bearer {token}"


def _find_faults(recorder: ScenarioRecorder) -> Iterator[str]:
    for nodes in recorder.checks.values():
        for node in nodes:
            if node.failure_info is not None:
                yield f"{recorder.label}: {node.name}: {node.failure_info.failure.message}"
    for case_id, sent in recorder.cases.items():
        meta, interaction = sent.value.meta, recorder.interactions.get(case_id)
        response = None if interaction is None else interaction.response
        if response is None or response.status_code != 422 or meta is None or not meta.generation.mode.is_positive:
            continue
        for error in json.loads(response.content)["errors"]:
            if error["code"] in OF_THE_SCHEMA:
                yield f"{recorder.label}: the document allows what the server refuses: {error}"


def _run(schema: BaseSchema) -> tuple[set[str], set[tuple[str, int]]]:
    """Try all of `schema`; what is wrong, and the operations with the statuses that they had."""
    faults: set[str] = set()
    seen: set[tuple[str, int]] = set()
    for event in engine.from_schema(schema).execute():
        match event:
            case events.ScenarioFinished(recorder=recorder):
                faults.update(_find_faults(recorder))
                answers = [one.response for one in recorder.interactions.values() if one.response is not None]
                seen.update((recorder.label, answer.status_code) for answer in answers)
            case events.NonFatalError(info=info):
                faults.add(f"{event.label}: {info.format()}")
            case events.FatalError(exception=exception):
                raise exception
            case _:
                pass
    return faults, seen


def _list_operations(schema: BaseSchema) -> set[str]:
    return {result.ok().label for result in schema.get_all_operations() if isinstance(result, Ok)}


@pytest.fixture
def schema(api: Api, request: pytest.FixtureRequest) -> Iterator[BaseSchema]:
    """The document of a server behind a socket; calls go there."""
    config = _configure(request.config.getoption("--examples"))
    with served(api.app, 0) as url:
        yield schemathesis.openapi.from_url(f"{url}/api/openapi.json", config=config)


@pytest.mark.parametrize("databases", ["sqlite"], indirect=True)  # a stranger reaches little of it
def test_strangers_find_what_the_document_says(schema: BaseSchema) -> None:
    """Nobody gives them a token; schemathesis uses those that its own calls of `/api/login` get."""
    faults, seen = _run(schema)
    assert not faults, "\n".join(sorted(faults))
    assert {label for label, _ in seen} >= _list_operations(schema)


def test_users_find_what_the_document_says(schema: BaseSchema, api: Api, realm: Realm) -> None:
    _call_as_new_users(schema, api, realm)
    faults, seen = _run(schema)
    assert not faults, "\n".join(sorted(faults))
    behind = {label for label in _list_operations(schema) if (label, 401) in seen}
    assert len(behind) > 8
    reached = {label for label, status in seen if status not in {401, 405, 429}}
    assert behind <= reached
