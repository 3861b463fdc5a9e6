"""Registered OAuth clients: the in-process registry and client authentication. Ends nothing, issues nothing."""
