"""Which scope an access token carries, given what was granted."""

ADMIN_SCOPE = "admin"
ADMIN_ROLE = "admin"


def effective_scope(granted: str, asked: frozenset[str] | None, roles: tuple[str, ...]) -> str:
    """The scope of one access token, in the order granted.

    A refresh may ask for less (RFC 6749 §6), which does not narrow the family. `admin` is carried only while the user
    has the role, so that a role taken away takes effect at the next refresh.
    """
    return " ".join(
        token
        for token in granted.split()
        if (asked is None or token in asked) and (token != ADMIN_SCOPE or ADMIN_ROLE in roles)
    )
