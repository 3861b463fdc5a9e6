"""The account pages (contract §9). They show the user who is signed in at this browser only their own account.

Owns what is shown there, and the words. Every form calls a use case of a lower room, which decides whether the user
has to confirm their identity again; `frame` sends them to sign in.
"""

from authserver.web.pages.account import address, apps, events, leaving, password, profile, sessions

VIEWS = (profile, address, password, sessions, apps, events, leaving)
"""The modules whose views are served."""

__all__ = ["VIEWS"]
