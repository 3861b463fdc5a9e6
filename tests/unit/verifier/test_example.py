"""The example resource server."""

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

from flask import Flask

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "resource_server" / "app.py"


def load_app() -> Flask:
    spec = importlib.util.spec_from_file_location("example_resource_server", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    app: Flask = module.app
    return app


def test_one_route_is_open_and_one_is_not() -> None:
    client = load_app().test_client()
    assert client.get("/").status_code == 200
    assert client.get("/me").status_code == 401


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, EXAMPLE],
            env={**os.environ, "PORT": port, "PYTHONPATH": str(EXAMPLE.parents[2])},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"resource server: cannot listen on 127.0.0.1:{port}: Address already in use. Set PORT to another one."
    ]
