"""The installation under test and what it stands on: clock, randomness, databases, keys, processes."""
