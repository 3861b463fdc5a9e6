"""The tables, used by the statements of this room, the migrations and the Flask-SQLAlchemy binding.

No secret is stored in usable form: passwords are hashes, client secrets are digests, private keys are sealed, and
refresh tokens are not stored. Lists of words (scopes, audiences, roles) are space-separated text, in the order given.

Each module holds the tables of one subject. A statement imports its tables from here.
"""

from authserver.storage.schema.base import Base
from authserver.storage.schema.clients import Client, RegistrationToken, UsedAssertion
from authserver.storage.schema.deliveries import OutboxMail, QueuedDelivery
from authserver.storage.schema.history import AuditEvent, ClockMark, FeedCounter, FeedEntry
from authserver.storage.schema.keys import Key, Node
from authserver.storage.schema.people import Consent, MailLink, PendingRegistration, User
from authserver.storage.schema.proofs import UsedProof
from authserver.storage.schema.requests import DeviceAuthorization, PushedRequest
from authserver.storage.schema.sessions import AuthorizationCode, ClientSession, RefreshTokenFamily, Session

__all__ = [
    "AuditEvent",
    "AuthorizationCode",
    "Base",
    "Client",
    "ClientSession",
    "ClockMark",
    "Consent",
    "DeviceAuthorization",
    "FeedCounter",
    "FeedEntry",
    "Key",
    "MailLink",
    "Node",
    "OutboxMail",
    "PendingRegistration",
    "PushedRequest",
    "QueuedDelivery",
    "RefreshTokenFamily",
    "RegistrationToken",
    "Session",
    "UsedAssertion",
    "UsedProof",
    "User",
]
