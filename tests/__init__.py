"""The promises of authserver, each proven at the level where it is made."""
