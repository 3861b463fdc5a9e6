"""The errors about the keys of an installation. The text of each is one clear line.

    KeyringError
    ├── MasterKeyError         the folder of master keys is unusable: the server does not start
    │   └── WrongMasterKeyError    intact files, but not the ones that sealed this database
    ├── BrokenKeyError         a row that no working installation can have written
    ├── NoActiveKeyError       nothing to sign with: `authserver init` or `authserver keys rotate` was never run
    └── UnusablePemError       a PEM file that cannot become a signing key
        └── NeedsPassphraseError   the PEM file is encrypted, and its passphrase is missing

A key that is not due yet, or an operator's request that must be refused, is a value (see `steps`), not an error.
"""


class KeyringError(Exception):
    """Something about the keys is broken. The text is one line for an operator and holds no secret."""


class MasterKeyError(KeyringError):
    """The master key is missing, empty or corrupt, or others can read or replace it."""


class WrongMasterKeyError(MasterKeyError):
    """None of the loaded master keys sealed this text."""


class BrokenKeyError(KeyringError):
    """A stored key contradicts itself, or its sealed part was written for another key."""


class NoActiveKeyError(KeyringError):
    """The database holds no active key of one purpose."""


class UnusablePemError(KeyringError):
    """This PEM file cannot be imported."""


class NeedsPassphraseError(UnusablePemError):
    """This PEM file is encrypted, and no passphrase was given."""
