"""The outbox: what is queued is sent at least once, by whichever node, always with the same link."""

from authserver.accounts.reset_password import ask_reset, reset_password
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.revocation import Receipt
from tests.support.mail import deliver_all, read_link
from tests.support.realm import EMAIL, add_user

NEW_PASSWORD = Secret("a wholly different horse")


def test_a_wish_becomes_a_mail_whose_link_works(realm: Realm) -> None:
    add_user(realm)
    ask_reset(realm, EMAIL)
    (message,) = deliver_all(realm)
    assert (message["To"], message["Subject"]) == (EMAIL, "Choose a new password")
    assert isinstance(reset_password(realm, read_link(message), NEW_PASSWORD, "192.0.2.1"), Receipt)
    (told,) = deliver_all(realm)
    assert told["Subject"] == "Your password was reset"
