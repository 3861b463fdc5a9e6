"""Writes and queues mails. Decides neither the recipient nor what a link does, and sends nothing itself."""
