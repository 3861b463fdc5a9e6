"""What the pages share on which a person allows something: reading the answer, and for how long it holds."""

from authserver.authorization.outcomes import Decision, RequestedAccess
from authserver.sessions.scope import OFFLINE_SCOPE
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import read_fields
from authserver.web.pages.languages import translate
from authserver.web.pages.words import say_duration


def read_decision() -> Decision | None:
    """The button that was pressed; None for anything else."""
    return {decision.value: decision for decision in Decision}.get(read_fields().get("decision", ""))


def say_lifetime(access: RequestedAccess) -> str:
    """For how long it holds (ASVS 10.7.2)."""
    lifetimes = current_realm().lifetimes.of_client(access.client)
    if access.client.offline_access or OFFLINE_SCOPE in access.scope:
        duration = say_duration(lifetimes.refresh_absolute_lifetime)
        return translate("It stays connected for up to %(duration)s, or until you disconnect it.", duration=duration)
    duration = say_duration(lifetimes.access_token_lifetime)
    return translate("It can use this for %(duration)s; then it has to ask again.", duration=duration)
