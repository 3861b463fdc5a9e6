"""Signing and MAC keys: their life cycle, the sealing of their private parts, the JWKS, the access-token issuer.

Pure, with two exceptions: it reads the folder of master keys, and `live` holds the set of keys in use. It never touches
a database (rows are passed as `StoredKey`) and never decides what a compromise ends.
"""
