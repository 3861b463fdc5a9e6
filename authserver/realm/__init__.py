"""One installation: the values that its use cases need, and the outcomes that they share."""

from authserver.realm.realm import KeyProofs, Passwords, Realm, Registration

__all__ = ["KeyProofs", "Passwords", "Realm", "Registration"]
