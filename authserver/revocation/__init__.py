"""The only room that ends things, for users, clients and keys.

Its policy says which credential event ends what; the events, one file each, are in `credentials/events`.
`Revocation.apply` carries out a credential event as the policy says; `Revocation.end_session`, `end_family` and others
end one thing without a credential event. All of them run inside the caller's transaction and write the audit record in
it. The end takes effect only if that transaction commits. So a caller that then refuses the request must return the
refusal, never raise it.
"""

from authserver.revocation.receipt import Receipt
from authserver.revocation.revocation import Revocation

__all__ = ["Receipt", "Revocation"]
