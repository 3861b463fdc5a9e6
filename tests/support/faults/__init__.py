"""What goes wrong on purpose: races, deaths, failing statements, lost output, load."""
