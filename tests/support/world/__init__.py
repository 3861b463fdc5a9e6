"""The installation under test: clock, randomness, databases, keys, processes."""
