"""The `authserver` command, for operators.

Each command opens what it needs, calls one use case and prints the result. It decides nothing itself, never prints a
secret twice, and reports a failure in one line on stderr. This module has no imports at its top, because a base install
(the verifier) has the command, too, but lacks the libraries of the server.
"""


def main() -> int:
    """Run the command line, and return the exit status. Without the `server` extra, print what to install."""
    import sys

    try:
        from authserver.cli.main import run

        return run()  # this imports what the command needs
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "authserver":
            raise
        print(  # noqa: T201 - click itself may be missing
            f"authserver: {missing.name} is not installed; the server needs: pip install 'WHEEL[server]'",
            file=sys.stderr,
        )
        return 1
