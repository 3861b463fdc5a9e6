"""What a client may do for a user: authorization requests, consent, codes; introspection, revocation, userinfo.

Does not sign users in (see `authentication`), and does not exchange codes or tokens (see `grants`).
"""
