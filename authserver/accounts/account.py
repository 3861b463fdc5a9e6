"""What a user sees of himself."""

from authserver.accounts.bearer import Bearer
from authserver.realm import Realm
from authserver.storage import users
from authserver.storage.users import User


def find_account(realm: Realm, bearer: Bearer) -> User | None:
    """The user who asks; None if he was deleted a moment ago."""
    with realm.database.read() as tx:
        return users.find(tx, bearer.user_id)
