"""The pages about one's own account (contract §9): for who is signed in at this browser, and about them alone.

Owns what is shown there and in which words. Every act is a use case of a room below, which decides whether the person
has to prove once more who they are; `frame` sends them to do so.
"""

from authserver.web.pages.account import address, apps, events, leaving, password, profile, sessions

VIEWS = (profile, address, password, sessions, apps, events, leaving)
"""The modules whose views are served."""

__all__ = ["VIEWS"]
