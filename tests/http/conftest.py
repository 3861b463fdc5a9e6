"""The doors, opened on a realm with one user."""

import pytest

from authserver.realm import Realm
from tests.support.api import Api
from tests.support.realm import add_user


@pytest.fixture
def api(realm: Realm) -> Api:
    """The JSON API of an installation whose limits nobody reaches; nobody is registered."""
    return Api(realm)


@pytest.fixture
def user_id(realm: Realm) -> str:
    """The user with `EMAIL` and `PASSWORD`."""
    return add_user(realm)
