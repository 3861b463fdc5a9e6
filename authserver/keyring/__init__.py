"""Signing and MAC keys: their life cycle, the sealing of their private parts, the JWKS, the access-token issuer.

Pure but for two things: it reads the folder of master keys, and `live` holds the one set of keys in use. It never
touches a database (rows come and go as `StoredKey`) and never decides what a compromise ends.
"""
