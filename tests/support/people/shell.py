"""An operator at the command line of one installation."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner, Result

from authserver.authentication.open_session import DeviceClaim, RequestSource
from authserver.authentication.sign_in import SignIn, sign_in
from authserver.cli.commands import COMMANDS
from authserver.cli.context import Context
from authserver.cli.main import authserver
from authserver.clients.register_client import FIRST_PARTY_CLIENT_ID
from authserver.protocol.entropy import Entropy
from authserver.protocol.secret import Secret
from authserver.realm import Realm
from authserver.realm.outcomes import Refused
from authserver.tokens.token_answer import TokenAnswer
from authserver.upkeep.keep_time import Timekeeper
from tests.support.world.clock import ManualClock

EMAIL = "grace@example.test"
PASSWORD = "nine lives and a garden gate"


def load_every_command() -> click.Group:
    """The command line with all its commands in place, for those who walk through them."""
    return click.Group("authserver", commands=[late.load() for late in COMMANDS])


class ManualContext(Context):
    """The database's clock is not moved by tests, so it does not testify."""

    @cached_property
    def timekeeper(self) -> Timekeeper:
        """See `Context.timekeeper`."""
        return Timekeeper(self.current_schema.database, self.clock, lambda _tx: None)


@dataclass(frozen=True, slots=True)
class Shell:
    """Types commands in one installation. The clock is the test's."""

    clock: ManualClock
    entropy: Entropy
    home: Path

    def type(self, *words: str, stdin: str | bytes = "") -> Result:
        """The result of `authserver WORDS`, whatever it is. What is no exit status is a bug, and raised."""
        context = ManualContext(self.clock, self.entropy)
        result = CliRunner().invoke(authserver, words, input=stdin, obj=context, prog_name="authserver")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def run(self, *words: str, stdin: str | bytes = "") -> str:
        """What a command prints that must succeed, and say nothing on stderr."""
        result = self.type(*words, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def json(self, *words: str, stdin: str | bytes = "") -> Any:  # noqa: ANN401 - as JSON is
        """The same for `--json`."""
        return json.loads(self.run(*words, "--json", stdin=stdin))

    def refuse(self, *words: str, stdin: str | bytes = "") -> str:
        """The one line of a command that must be refused."""
        result = self.type(*words, stdin=stdin)
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        line = result.stderr.removesuffix("\n")
        assert "\n" not in line, line
        assert "Traceback" not in line
        return line

    def create_user(self, email: str = EMAIL, *options: str, password: str = PASSWORD) -> Any:  # noqa: ANN401 - as JSON is
        return self.json("users", "create", email, *options, "--password-stdin", stdin=f"{password}\n")

    def sign_in(
        self,
        email: str = EMAIL,
        password: str = PASSWORD,
        device: str | None = None,
        client_id: str = FIRST_PARTY_CLIENT_ID,
    ) -> TokenAnswer | Refused:
        """What a sign-in with the installation's own keys and clients comes to."""
        attempt = SignIn(
            email,
            Secret(password),
            client_id,
            None,
            DeviceClaim(device, None),
            RequestSource("192.0.2.1", "test"),
        )
        answer = self.ask(lambda realm: sign_in(realm, attempt))
        assert isinstance(answer, TokenAnswer | Refused)
        return answer

    def ask(self, question: Callable[[Realm], object]) -> object:
        """The answer of the installation, opened as the commands open it."""
        context = ManualContext(self.clock, self.entropy)
        try:
            return question(context.realm)
        finally:
            context.close()
