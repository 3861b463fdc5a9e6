"""What a user sees of himself."""

from authserver.authentication.asker import Asker
from authserver.realm import Realm
from authserver.records.user import User
from authserver.storage import users


def find_account(realm: Realm, asker: Asker) -> User | None:
    """The user who asks; None if he was deleted a moment ago."""
    with realm.database.read() as tx:
        return users.find(tx, asker.user_id)
