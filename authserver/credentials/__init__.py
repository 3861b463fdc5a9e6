"""Pure decisions about credentials: passwords, e-mail addresses, credential events and the revocation policy.

Owns what a good password and a good address are, how a password is hashed and compared, which credential events exist
and what each of them ends by default. Never reads a database, a setting or a clock; the one thing here that runs is the
small pool of threads in which hashes are computed.
"""
