"""authserver: JWT access tokens, rotating refresh tokens, and credential events that end them everywhere.

Importing this package loads nothing else, so that `authserver.verifier` stays light at resource servers.
"""

__version__ = "0.2.0"
