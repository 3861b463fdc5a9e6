"""One installation: the values that its use cases work with, and the outcomes that they share."""

from authserver.realm.realm import Realm, Registration

__all__ = ["Realm", "Registration"]
