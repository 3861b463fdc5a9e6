"""The one room that ends things, for users, clients and keys; its policy says which credential event ends what.

`Revocation.apply` carries out a credential event as the policy says; `Revocation.end_session` and `end_family` end one
thing that no event of the user ended. All of them run inside the caller's transaction and write the audit record in
it: what they ended stays ended only if that transaction commits, so a caller that then refuses a request must return
the refusal, never raise it.
"""

from authserver.revocation.receipt import Receipt
from authserver.revocation.revocation import Revocation

__all__ = ["Receipt", "Revocation"]
