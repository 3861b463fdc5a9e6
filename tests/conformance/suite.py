"""The suite's own HTTP interface: plans, test modules, what the person at the browser has to do, results."""

import base64
import json
import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode

ALIAS: Final = "authserver"
"""Names the run in the suite's addresses. Only one module at a time may use it."""

_TIMEOUT: Final = 60.0

Members = dict[str, Any]


class SuiteRefusedError(Exception):
    """The suite refused a call. The message is its own."""


@dataclass(frozen=True, slots=True)
class Module:
    """A test module of a plan, with the variant in which the plan runs it."""

    name: str
    variant: Members


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A screenshot that a test module waits for, and the suite's name for the condition that asked for it."""

    id: str
    condition: str


@dataclass(frozen=True, slots=True)
class Errand:
    """A URL that a test module wants the person's browser to open, and how."""

    url: str
    method: str


class Suite:
    """A suite that is up at `url`, in its development mode: it asks nobody to sign in."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet."""
        self.url = url.rstrip("/")
        # The suite's certificate is made on the spot by whoever starts it: no authority vouches for it.
        self._tls = ssl._create_unverified_context()  # noqa: S323 - see above; only this runner, on the tester's machine

    def address_of(self, endpoint: str) -> str:
        """The suite's URL for an endpoint of its clients, such as `callback`."""
        return f"{self.url}/test/a/{ALIAS}/{endpoint}"

    def describe(self) -> str:
        """Its release and commit, in its own words."""
        said = self._call("GET", "/api/server")
        return f"{said['tag']}, commit {said['revision']}"

    def create_plan(self, name: str, variant: Mapping[str, str], config: Members) -> tuple[str, list[Module]]:
        """Create a plan; return its id, and its modules in their order."""
        made = self._call("POST", "/api/plan", {"planName": name, "variant": json.dumps(dict(variant))}, config)
        return made["id"], [Module(one["testModule"], one.get("variant") or {}) for one in made["modules"]]

    def create_test(self, plan: str, module: Module) -> str:
        """Set a module up; return the id of this run."""
        query = {"test": module.name, "plan": plan, "variant": json.dumps(module.variant)}
        made: str = self._call("POST", "/api/runner", query)["id"]
        return made

    def start(self, test: str) -> None:
        """Start a module that is `CONFIGURED`."""
        self._call("POST", f"/api/runner/{test}")

    def cancel(self, test: str) -> None:
        """Stop a module."""
        self._call("DELETE", f"/api/runner/{test}")

    def read_state(self, test: str) -> tuple[str, str | None]:
        """Read the status and, once there is one, the result."""
        said = self._call("GET", f"/api/info/{test}")
        return said["status"], said.get("result")

    def list_errands(self, test: str) -> list[Errand]:
        """List the URLs that the browser should open and has not opened."""
        browser = self._call("GET", f"/api/runner/{test}").get("browser") or {}
        return [Errand(one["url"], one["method"]) for one in browser.get("urlsWithMethod", ())]

    def tick_off(self, test: str, errand: Errand) -> None:
        """Say that the browser is opening the URL."""
        self._call("POST", f"/api/runner/browser/{test}/visit", {"url": errand.url})

    def list_placeholders(self, test: str) -> list[Placeholder]:
        """List the screenshots that the module waits for."""
        images = self._call("GET", f"/api/log/{test}/images")
        return [Placeholder(one["upload"], one["src"]) for one in images if one.get("upload")]

    def hand_in(self, test: str, placeholder: Placeholder, screenshot: bytes) -> None:
        """Upload a screenshot, a PNG. The module's result becomes `REVIEW` at best: a person has to look at it."""
        image = f"data:image/png;base64,{base64.b64encode(screenshot).decode()}"
        self._call("POST", f"/api/log/{test}/images/{placeholder.id}", body=image, content_type="text/plain")

    def read_log(self, test: str) -> list[Members]:
        """Read the log of a module, in its order."""
        entries: list[Members] = self._call("GET", f"/api/log/{test}")
        return entries

    def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Members | str | None = None,
        content_type: str = "application/json",
    ) -> Any:  # noqa: ANN401 - JSON of whatever shape
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        address = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        request = urllib.request.Request(address, data, {"Content-Type": content_type}, method=method)  # noqa: S310 - the URL that the tester typed
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT, context=self._tls) as answer:  # noqa: S310 - see above
                text = answer.read()
        except HTTPError as refused:
            said = refused.read().decode(errors="replace")
            raise SuiteRefusedError(f"{method} {path}: {refused.code} {said}") from None
        return json.loads(text) if text else None
