"""What can be wrong with the keys of an installation: one clear line each.

    KeyringError
    ├── MasterKeyError         the folder of master keys: start is refused
    │   └── WrongMasterKeyError    sound files, but not the ones that sealed this database
    ├── BrokenKeyError         a row that no working installation can have written
    ├── NoActiveKeyError       nothing to sign with: `authserver init` or `authserver keys rotate` was never run
    └── UnusablePemError       a PEM file that cannot become a signing key
        └── NeedsPassphraseError   … unless somebody says its passphrase

A key that is merely not due, or an operator's wish that cannot be granted, is a value in `life_cycle`, not an error.
"""


class KeyringError(Exception):
    """Something about the keys is broken. The text is one line for an operator and holds no secret."""


class MasterKeyError(KeyringError):
    """The master key is missing, empty, corrupt, or in the reach of others."""


class WrongMasterKeyError(MasterKeyError):
    """None of the loaded master keys sealed this."""


class BrokenKeyError(KeyringError):
    """A stored key contradicts itself, or its sealed part was written for another key."""


class NoActiveKeyError(KeyringError):
    """The database holds no active key of one purpose."""


class UnusablePemError(KeyringError):
    """This PEM cannot be imported."""


class NeedsPassphraseError(UnusablePemError):
    """This PEM is encrypted, and no passphrase was given."""
