"""The worker processes: starting, watching, replacing and draining them; the form of the log."""
