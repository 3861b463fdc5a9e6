"""The `authserver` command: what an operator types.

Each command opens what it needs, calls one use case and prints what came out. It never decides anything itself, never
prints a secret twice, and says a failure in one line on stderr. This module imports nothing at its top, because a base
install (the verifier) has the command too, but nothing to run it with.
"""


def main() -> int:
    """Run the command line; without the `server` extra say in one line what to install."""
    import sys

    try:
        from authserver.cli.main import run

        return run()  # which imports what its command needs
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "authserver":
            raise
        print(  # noqa: T201 - click, which would say this, may be what is missing
            f"authserver: {missing.name} is not installed; the server needs: pip install 'WHEEL[server]'",
            file=sys.stderr,
        )
        return 1
