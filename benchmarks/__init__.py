"""How fast authserver is, as ratios to floors measured in the same run: `make bench`. README.md says what is compared.

Nothing here is a test: times on a shared machine prove nothing by themselves, and a ratio that misses its target is
printed, not raised.
"""
