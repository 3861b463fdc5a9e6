"""Words on the wire: claims, refresh-token strings, OAuth errors, text rules. Standard library only; no I/O."""
