"""The `authserver` command: what an operator types.

Each command opens what it needs, calls one use case and prints what came out. It never decides anything itself, never
prints a secret twice, and says a failure in one line on stderr. This module imports nothing at its top, because a base
install (the verifier) has the command too, but nothing to run it with.
"""


def main() -> int:
    """Run the command line; without the `server` extra say in one line what to install."""
    import gc
    import sys

    # What is imported stays: looking for garbage among it takes a fifth of the start, and would unshare the workers'
    # memory later.
    gc.disable()
    try:
        from authserver.cli.main import run
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "authserver":
            raise
        print(  # noqa: T201 - click, which would say this, may be what is missing
            f"authserver: {missing.name} is not installed; the server needs: pip install 'WHEEL[server]'",
            file=sys.stderr,
        )
        return 1
    gc.freeze()
    gc.enable()
    return run()
