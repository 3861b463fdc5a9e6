"""Delivers messages to the outside, by SMTP or into a folder. Does not write mails (see `mail`)."""
