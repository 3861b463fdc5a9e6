"""RSA keys for tests. Each is made once per process, because that takes half a second."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def rsa_key(bits: int = 3072, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """Return the key of this size and exponent."""
    return rsa.generate_private_key(exponent, bits)
