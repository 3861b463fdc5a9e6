"""Use cases, one transaction each. Each returns its outcome as a value and has committed by then."""
