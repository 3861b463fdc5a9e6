"""RSA keys of tests, each made once per process: that takes half a second."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def rsa_key(bits: int = 3072, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """The key of this size and exponent."""
    return rsa.generate_private_key(exponent, bits)
