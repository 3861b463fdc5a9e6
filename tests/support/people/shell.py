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
    """Load the command line with all its commands."""
    return click.Group("authserver", commands=[late.load() for late in COMMANDS])


class ManualContext(Context):
    """A context that ignores the database's clock, because tests do not move that."""

    @cached_property
    def timekeeper(self) -> Timekeeper:
        """See `Context.timekeeper`."""
        return Timekeeper(self.current_schema.database, self.clock, lambda _tx: None)


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs commands in one installation, with the clock of the test."""

    clock: ManualClock
    entropy: Entropy
    home: Path

    def type(self, *words: str, stdin: str | bytes = "") -> Result:
        """Run `authserver WORDS`; return the result. An exception other than `SystemExit` is raised."""
        context = ManualContext(self.clock, self.entropy)
        result = CliRunner().invoke(authserver, words, input=stdin, obj=context, prog_name="authserver")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def run(self, *words: str, stdin: str | bytes = "") -> str:
        """Run a command that must succeed without output on stderr; return its stdout."""
        result = self.type(*words, stdin=stdin)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def json(self, *words: str, stdin: str | bytes = "") -> Any:  # noqa: ANN401 - as JSON is
        """Run a command with `--json`, which must succeed; return the value."""
        return json.loads(self.run(*words, "--json", stdin=stdin))

    def refuse(self, *words: str, stdin: str | bytes = "") -> str:
        """Run a command that must be refused; return the one line on stderr."""
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
        """Sign in with the installation's own keys and clients; return the outcome."""
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
        """Open the installation as commands do; return the answer to `question`."""
        context = ManualContext(self.clock, self.entropy)
        try:
            return question(context.realm)
        finally:
            context.close()
