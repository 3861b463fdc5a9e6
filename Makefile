# A fresh machine needs Python 3.11 or newer with its venv module (Debian: python3-venv) and make, and curl for the
# commands that `make run` prints; the tests also need spin, gcc and chromium, which
# `make test` installs where it may. `make` lists what there is.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What looks at the dependencies has dependencies of its own, so it lives apart from them.
TOOLS := $(VENV)/tools
ARGS ?=
NODE_PACKAGES := tests/libraries/node examples/spa
# Tests at once: twice the cores that we measured on, because many of them wait.
JOBS ?= 4
# Where this is set, each process that a test starts compiles the whole server anew: two seconds, many hundred times.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: audit conformance backend coverage lock messages vectors help run web-client spa mcp native television test test-plain races faults fuzz bench lint format clean prover browser libraries

help:
	@echo "make run     the server on 8000 and an example resource server on 8001, with a demo user; Ctrl-C stops both"
	@echo "make web-client  a web application on 8002, for the server of make run"
	@echo "make spa     a single-page application on 8003, for the servers of make run"
	@echo "make mcp     an MCP server on 8004, for the servers of make run"
	@echo "make native  a command-line app that signs in by the browser, or ARGS=--device with a code; ARGS=sign-out"
	@echo "make television  a server with a demo user, and a device that signs in there with a code"
	@echo "make backend  a server, an API, and a program without users that calls it by a secret and by a key"
	@echo "make test    the whole suite, on SQLite and on a PostgreSQL of its own   (ARGS='-k name' for a part)"
	@echo "make test-plain  the same with other libraries exactly as they are, three times as slow: before a release"
	@echo "make races   the interleavings, 500 rounds each instead of 50"
	@echo "make faults  killed workers, drained servers, broken requests"
	@echo "make fuzz    300 requests for each call of the JSON API, made from its OpenAPI document, instead of 3"
	@echo "make bench   refresh, sign-in, verify, start, polls and propagation, beside their floors and targets"
	@echo "make conformance  the OpenID Foundation's suite, which is up at SUITE=https://localhost:8443 (docs/conformance.md)"
	@echo "make messages  gather the sentences of the pages and compile their translations"
	@echo "make vectors  forge the attack tokens in tests/vectors anew"
	@echo "make coverage  the suite, and which lines and branches of authserver/ it does not reach"
	@echo "make lock    pin the dependencies anew, with hashes   (ARGS=--upgrade for newer releases)"
	@echo "make audit   known vulnerabilities of what is pinned"
	@echo "make libraries  the packages for Node.js that make test needs"
	@echo "make lint    ruff and mypy                make format  let ruff write"
	@echo "make clean   remove the environment and everything that was built; data in var/ stays"

run: $(READY)
	@command -v curl >/dev/null || echo 'the commands that follow need curl; on Debian: apt-get install curl' >&2
	@$(BIN)/python examples/run_demo.py

web-client: $(READY)
	@$(BIN)/python -m examples.run_web_client

spa: $(READY)
	@$(BIN)/python -m examples.run_spa

mcp: $(READY)
	@$(BIN)/python -m examples.run_mcp

native: $(READY)
	@$(BIN)/python -m examples.run_native $(ARGS)

television: $(READY)
	@$(BIN)/python -m examples.run_television

backend: $(READY)
	@$(BIN)/python -m examples.backend.run

test: $(READY) prover browser libraries
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

test-plain: $(READY) prover browser libraries
	PLAIN_SUITE=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

races: $(READY)
	$(BIN)/python -m pytest -m races --rounds 500 $(ARGS)

faults: $(READY)
	$(BIN)/python -m pytest tests/faults $(ARGS)

fuzz: $(READY)
	$(BIN)/python -m pytest tests/http/test_schemathesis.py --examples 300 $(ARGS)

bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

conformance: $(READY) browser
	@test -n "$(SUITE)" || { echo 'make conformance needs a suite that is up, SUITE=https://localhost:8443; see docs/conformance.md' >&2; exit 2; }
	$(BIN)/python -m tests.conformance $(SUITE) $(ARGS)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

vectors: $(READY)
	$(BIN)/python -m tests.vectors.forge

coverage: $(READY) prover browser libraries
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report=term $(ARGS)

# The hashes are those of every file of a release, source and wheels of all platforms, so that the lock serves all of them.
lock: $(TOOLS)/.ready
	$(TOOLS)/bin/uv pip compile --quiet --universal --extra dev --generate-hashes --no-annotate --no-header --no-strip-extras \
	  --output-file requirements.lock $(ARGS) pyproject.toml

# Asks the advisory service of PyPI. --strict: a package about which it cannot be asked is a failure, and not a pass.
audit: $(TOOLS)/.ready
	$(TOOLS)/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock $(ARGS)

messages: $(READY)
	$(BIN)/python -m tests.support.world.catalogues

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(TOOLS)/.ready: $(READY)
	@$(BIN)/python -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9,<3' 'uv>=0.9,<1'
	@touch $@

# Made again only when what it is made of changes; a half-made one is not marked as ready. One without pip is made anew:
# Debian's python3 leaves it behind when python3-venv is not there.
$(READY): pyproject.toml requirements.lock
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  rm -rf $(VENV); \
	  for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      $$python -m venv $(VENV) && exit; \
	      rm -rf $(VENV); \
	      echo "$$python cannot make $(VENV), as said above; on Debian and Ubuntu: apt-get install python3-venv" >&2; \
	      exit 1; \
	    fi; \
	  done; \
	  echo 'authserver needs Python 3.11 or newer; name it with make PYTHON=/path/to/python' >&2; exit 1; }
	@echo 'setting up $(VENV)'
	@# Not compiled here: most of what the packages bring is never imported, and what is, is compiled then.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes \
	  --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What checks the model in docs/proofs. Without it the tests of the model fail, and all others still run.
prover:
	@command -v spin >/dev/null && command -v gcc >/dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo 'installing spin' && apt-get -qq update && \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes spin gcc libc6-dev >/dev/null; } || \
	  echo 'make test needs spin and gcc; as root: apt-get install spin gcc libc6-dev' >&2

# What looks at the pages. Without it the tests of the pages in a browser fail, and all others still run.
browser:
	@command -v chromium >/dev/null || { \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null && echo 'installing chromium' && apt-get -qq update && \
	  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes chromium >/dev/null; } || \
	  echo 'make test needs chromium; as root: apt-get install chromium' >&2

# The client libraries for Node.js that the server is tested with. Without them those tests fail, and all others still run.
libraries: $(READY)
	@for folder in $(NODE_PACKAGES); do \
	  test $$folder/node_modules/.package-lock.json -nt $$folder/package-lock.json || { \
	    echo "setting up $$folder" && (cd $$folder && \
	    $(CURDIR)/$(BIN)/npm ci --silent --ignore-scripts --no-audit --no-fund && touch node_modules/.package-lock.json); } || \
	    echo "make test needs what $$folder/package-lock.json names, from the npm registry" >&2; \
	done
