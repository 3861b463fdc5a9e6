"""Faults caused on purpose: races, killed processes, failing statements, lost output, load."""
