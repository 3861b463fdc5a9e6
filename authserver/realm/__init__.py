"""One installation: the values that its use cases need, and the outcomes that they share."""

from authserver.realm.realm import Passwords, Realm, Registration

__all__ = ["Passwords", "Realm", "Registration"]
