"""The worker processes (starting, watching, replacing, draining) and the format of the log."""
