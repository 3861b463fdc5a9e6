"""Strict JOSE: reading JWS, JWK and access tokens, and the table of signing algorithms.

Shared by the server and the verifier. PyJWT's algorithm objects make and check the signatures, with `cryptography`
keys. Everything around the signatures (spelling, JSON, headers, claims) is read here, and only one spelling of each is
accepted.
No I/O, no clock: the caller passes a function that looks up keys, and `now` is an argument.
"""
