"""The user's own account data."""

from authserver.authentication.asker import Asker
from authserver.realm import Realm
from authserver.records.user import User
from authserver.storage import users


def find_account(realm: Realm, asker: Asker) -> User | None:
    """Find the user who asks; None if they were deleted in the meantime."""
    with realm.database.read() as tx:
        return users.find(tx, asker.user_id)
