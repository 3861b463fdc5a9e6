"""Benchmarks (`make bench`): ratios to floors that are measured in the same run. README.md says what is compared.

Nothing here is a test, because times on a shared machine alone prove nothing. A ratio that misses its target is printed
and raises no error.
"""
