"""Pure decisions about credentials: passwords, e-mail addresses, and credential events with their default rows.

Decides which passwords and addresses are acceptable, how a password is hashed and compared, which credential events
exist, and what each of them ends by default. Never reads a database, a setting or a clock. Its only running part is the
small thread pool that computes hashes.
"""
