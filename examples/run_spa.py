"""`make spa`: the single-page application in examples/spa, on port 8003, for the servers that `make run` has started.

Registers the application once, installs its packages from npm, and serves it until Ctrl-C.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from examples.run_demo import become, fail, is_free, register

APPLICATION = Path(__file__).resolve().parent / "spa"
NODE = Path(sys.prefix) / "bin"
SCOPE = "openid profile email offline_access"


def main() -> int:
    """Register, install, and serve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8003, help="of the application")
    parser.add_argument("--issuer", default="http://127.0.0.1:8000", help="the server")
    parser.add_argument("--resource", default="http://127.0.0.1:8001", help="the resource server")
    options = parser.parse_args()
    if not is_free(options.port):
        return fail(f"port {options.port} is in use by another program: stop that one first", "make spa")
    home = Path(os.environ.get("AUTHSERVER_HOME", "var"))
    environment = {"AUTHSERVER_CONFIG": str(home / "authserver.toml"), **os.environ}
    here = f"http://127.0.0.1:{options.port}"
    uris = ("--redirect-uri", f"{here}/", "--post-logout-redirect-uri", f"{here}/", "--origin", here)
    client = register(home / f"spa-{options.port}.json", environment, "Notebook", "--scope", SCOPE, *uris)
    environment |= {"PATH": f"{NODE}{os.pathsep}{environment.get('PATH', '')}", "PORT": str(options.port)}
    environment |= {"VITE_ISSUER": options.issuer, "VITE_CLIENT_ID": client["client_id"]}
    environment["RESOURCE_SERVER"] = options.resource
    if not (APPLICATION / "node_modules").is_dir():
        install = [str(NODE / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        if subprocess.run(install, cwd=APPLICATION, env=environment, check=False).returncode != 0:
            return fail("npm could not install what examples/spa/package-lock.json names", "make spa")
    os.chdir(APPLICATION)
    return become([str(NODE / "node"), "node_modules/vite/bin/vite.js", "--clearScreen", "false"], environment)


if __name__ == "__main__":
    sys.exit(main())
