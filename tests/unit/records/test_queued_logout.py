"""A logout token in the outbox: it is read as it was queued, and anything else is named unreadable."""

from dataclasses import replace
from datetime import timedelta

import pytest

from authserver.records.client_session import ClientSession
from authserver.records.delivery import Payload
from authserver.records.queued_logout import UNREADABLE, QueuedLogout, read_logout
from tests.support.world.clock import START

QUEUED = QueuedLogout("jti", ClientSession("client", "sid", "user", START + timedelta(days=1)))


@pytest.mark.parametrize("queued", [QUEUED, replace(QUEUED, refused_since=START)])
def test_it_is_read_as_it_was_queued(queued: QueuedLogout) -> None:
    assert read_logout(queued.as_delivery()) == queued


@pytest.mark.parametrize(
    "change",
    [
        {"sid": None},
        {"user_id": 1},
        {"expires_at": "tomorrow"},
        {"expires_at": 10**20},
        {"expires_at": None},
        {"refused_since": "yesterday"},
    ],
)
def test_any_other_payload_is_unreadable(change: Payload) -> None:
    delivery = QUEUED.as_delivery()
    with pytest.raises(UNREADABLE):
        read_logout(replace(delivery, payload={**delivery.payload, **change}))
    for name in delivery.payload:
        rest = {key: value for key, value in delivery.payload.items() if key != name}
        with pytest.raises(UNREADABLE):
            read_logout(replace(delivery, payload=rest))
