"""Strict JOSE: reading JWS, JWK and access tokens, and the table of signing algorithms.

Shared by the server and the verifier. Signatures are made and checked by PyJWT's algorithm objects over `cryptography`
keys; everything around them (spelling, JSON, headers, claims) is read here, and only one spelling of each is accepted.
No I/O, no clock: keys are looked up by a function that the caller passes, and `now` is an argument.
"""
