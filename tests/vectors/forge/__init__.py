"""Forges the attack tokens of `tests/vectors/*.json`: `python -m tests.vectors.forge` writes them anew."""
