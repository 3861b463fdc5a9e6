"""Runs the OpenID Foundation's conformance suite against the server (docs/conformance.md). Not part of `make test`."""
