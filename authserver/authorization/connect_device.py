"""A person lets a device use their account (RFC 8628 §3.3): they type its code, see what asks, and allow it.

The person signs in for this very request, whoever is signed in at the browser. A code that they typed is bound to them
and to this request. The device gets a session of its own when it asks next (`grants.device_code`); nothing of the
browser's session reaches it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from authserver.authentication.browser_session import SignedInBrowser
from authserver.authentication.passwords import is_still
from authserver.authorization.consent import remember_consent
from authserver.authorization.interaction import Check, Interaction, find_missing
from authserver.authorization.outcomes import Decision, Missing, RequestedAccess, SignInNeeded
from authserver.authorization.pending_request import PROVED, PendingRequest
from authserver.protocol import base64url
from authserver.protocol.authorization_request import NOTHING_ASKED
from authserver.protocol.device_code import tag_user_code
from authserver.realm import Realm
from authserver.records.client import Client
from authserver.records.device_authorization import Approved, Denied, DeviceAuthorization, Exchanged, Undecided
from authserver.storage import Transaction, clients, device_authorizations, sessions, users

_FRESH: Final = replace(NOTHING_ASKED, prompts=frozenset({"login"}))
"""The person signs in for this request, however recently they did so for another one."""


@dataclass(frozen=True, slots=True)
class CodeNeeded(Missing):
    """The person has to type the code that their device shows."""


@dataclass(frozen=True, slots=True)
class ConfirmationNeeded(Missing):
    """The person at `browser` has to be asked whether `device` may have what it asks for."""

    access: RequestedAccess
    browser: SignedInBrowser
    device: DeviceAuthorization


@dataclass(frozen=True, slots=True)
class DeviceConnected:
    """The device may have its tokens."""

    client: Client


@dataclass(frozen=True, slots=True)
class DeviceDeclined:
    """The device gets nothing."""

    client: Client


@dataclass(frozen=True, slots=True)
class DeviceGone:
    """What the device asked for has ended meanwhile."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the person claimed for this request, and the client of the device."""

    device: DeviceAuthorization
    client: Client


@dataclass(frozen=True, slots=True)
class DeviceInteraction(Interaction):
    """One evaluation of a request about a device; `claimed` is None before its code was typed."""

    claimed: Claimed | None = None


def find_missing_code(interaction: Interaction) -> CodeNeeded | None:
    """Whether the person still has to type a code."""
    return CodeNeeded(None) if isinstance(interaction, DeviceInteraction) and interaction.claimed is None else None


def find_missing_confirmation(interaction: Interaction) -> ConfirmationNeeded | None:
    """Whether the person still has to be asked."""
    if not isinstance(interaction, DeviceInteraction) or interaction.claimed is None or interaction.browser is None:
        return None
    claimed, browser = interaction.claimed, interaction.browser
    # An answer counts for the user who was asked, and about the device that was shown: other tabs may have gone on.
    is_asked = interaction.pending.asked_sid == name_question(browser, claimed.device)
    is_answered = interaction.decision is not None and is_asked
    if is_answered or not isinstance(claimed.device.decided, Undecided):
        return None
    return ConfirmationNeeded(_describe(claimed), browser, claimed.device)


def name_question(browser: SignedInBrowser, device: DeviceAuthorization) -> str:
    """What the form of the page that asks carries (`PendingRequest.ask`): whom it asks, and about which device."""
    return f"{browser.sid}~{base64url.encode(device.code_digest)}"


def may_claim(pending: PendingRequest, browser: SignedInBrowser | None) -> bool:
    """Whether the person has signed in for this request, so that they may try a code."""
    return browser is not None and pending.has_done(PROVED, browser.sid)


def claim_device(realm: Realm, pending: PendingRequest, browser: SignedInBrowser, user_code: str) -> bool:
    """Bind what shows `user_code` to the person and to this request; False if there is no such code for them.

    NOT checked: `may_claim`, and how often they may try.
    """
    tags = [tag_user_code(key.secret, user_code) for key in realm.keyring.current.mac_keys]
    now = realm.clock.now()
    with realm.database.write() as tx:
        user = users.lock(tx, browser.user_id)
        if user is None or not is_still(user, browser.user):
            return False
        return device_authorizations.claim(tx, tags, user.user_id, pending.request_id, now)


def connect_device(
    realm: Realm,
    pending: PendingRequest,
    browser: SignedInBrowser | None,
    checks: Sequence[Check],
    *,
    ip: str,
    decision: Decision | None = None,
) -> Missing | DeviceConnected | DeviceDeclined | DeviceGone:
    """Evaluate a request about a device for who sits at the browser in which it began; see `authorize`."""
    claimed = None if browser is None else _find_claimed(realm, pending, browser)
    interaction = DeviceInteraction(realm, pending, _FRESH, None, browser, decision, claimed=claimed)
    found = find_missing(interaction, checks)
    if isinstance(found, Missing):
        return found
    if browser is None:  # whatever the checks say, nobody else connects anything
        return SignInNeeded(None)
    if claimed is None:
        return CodeNeeded(None)
    if decision is None or not isinstance(claimed.device.decided, Undecided):
        return _find_answer(claimed)
    with realm.database.write() as tx:
        return _decide(tx, realm, claimed, browser, decision, ip=ip, now=realm.clock.now())


def _find_claimed(realm: Realm, pending: PendingRequest, browser: SignedInBrowser) -> Claimed | None:
    with realm.database.read() as tx:
        device = device_authorizations.find_claimed(tx, pending.request_id, browser.user_id, realm.clock.now())
    client = None if device is None else realm.clients.find(device.client_id)
    if device is None or client is None or client.family_version != device.client_family_version:
        return None
    return Claimed(device, client)


def _decide(
    tx: Transaction,
    realm: Realm,
    claimed: Claimed,
    browser: SignedInBrowser,
    decision: Decision,
    *,
    ip: str,
    now: datetime,
) -> Missing | DeviceConnected | DeviceDeclined | DeviceGone:
    """Look everything up once more: it may have changed since the checks. Takes the user's row first."""
    user = users.lock(tx, browser.user_id)
    session = sessions.find_live(tx, browser.user_id, browser.sid, now)
    if user is None or session is None or not is_still(user, browser.user):
        return SignInNeeded(None)
    device = device_authorizations.find_for_update(tx, claimed.device.code_digest)
    if device is None or now >= device.expires_at or device.claimed_by != user.user_id:
        return DeviceGone()
    if not isinstance(device.decided, Undecided):
        return _find_answer(replace(claimed, device=device))
    if decision is Decision.DENY:
        device_authorizations.deny(tx, device.code_digest, now)
        return DeviceDeclined(claimed.client)
    if clients.find_family_version(tx, device.client_id) != device.client_family_version:
        return DeviceGone()
    remember_consent(tx, realm, _describe(claimed), user.user_id, ip=ip, now=now)
    proof = Approved(session.auth_time, session.amr, session.acr)
    device_authorizations.approve(tx, device.code_digest, proof)
    return DeviceConnected(claimed.client)


def _find_answer(claimed: Claimed) -> DeviceConnected | DeviceDeclined | DeviceGone:
    """Find what was decided before."""
    match claimed.device.decided:
        case Approved() | Exchanged():
            return DeviceConnected(claimed.client)
        case Denied():
            return DeviceDeclined(claimed.client)
        case Undecided():
            return DeviceGone()
        case _:
            assert_never(claimed.device.decided)


def _describe(claimed: Claimed) -> RequestedAccess:
    scope = tuple(claimed.device.scope.split())
    return RequestedAccess(claimed.client, "", scope, claimed.device.audience, login_hint="", ui_locales="")
