"""The purpose of people who connect a device: what they are told when nothing is missing any more."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import structlog
from flask import Response, request

from authserver.authorization.connect_device import DeviceConnected, DeviceDeclined, DeviceGone, connect_device
from authserver.authorization.interaction import Check
from authserver.authorization.outcomes import Decision, Missing
from authserver.authorization.pending_request import PendingRequest
from authserver.protocol.device_code import VERIFICATION_PATH
from authserver.web.context import current_realm
from authserver.web.pages.blueprint import Told, answer_told
from authserver.web.pages.browser import current_browser
from authserver.web.pages.languages import translate
from authserver.web.pages.steps import Purpose
from authserver.web.pages.ways import Way, lead_to_account

_log = structlog.get_logger(__name__)


def _evaluate(pending: PendingRequest, checks: Sequence[Check], decision: Decision | None) -> Missing | Response:
    outcome = connect_device(
        current_realm(), pending, current_browser(), checks, ip=request.remote_addr or "", decision=decision
    )
    if not isinstance(outcome, Missing):
        _log.info("device_answered", outcome=type(outcome).__name__, ip=request.remote_addr)
    match outcome:
        case Missing():
            return outcome
        case DeviceConnected():
            return answer_told(_tell_connected(outcome))
        case DeviceDeclined():
            return answer_told(_tell_declined(outcome))
        case DeviceGone():
            return answer_told(_tell_gone())


CONNECTION: Final = Purpose("device", VERIFICATION_PATH, _evaluate)
"""A device gets tokens of its own."""


def _tell_connected(connected: DeviceConnected) -> Told:
    return Told(
        translate("Your device is connected"),
        (
            translate("%(client_name)s continues on your device in a few seconds.", client_name=connected.client.name),
            translate("To disconnect it, sign it out in the list of your devices."),
        ),
        ways=(Way(translate("See your devices"), "/account/sessions"), lead_to_account()),
    )


def _tell_declined(declined: DeviceDeclined) -> Told:
    return Told(
        translate("The device is not connected"),
        (translate("%(client_name)s cannot use your account.", client_name=declined.client.name),),
        ways=(_lead_to_code(), lead_to_account()),
    )


def _tell_gone() -> Told:
    return Told(
        translate("This code no longer works"),
        (
            translate("It has expired, or your account was changed meanwhile."),
            translate("Start again on the device, and type the new code."),
        ),
        HTTPStatus.GONE,
        (_lead_to_code(), lead_to_account()),
    )


def _lead_to_code() -> Way:
    return Way(translate("Type another code"), VERIFICATION_PATH)
