"""Handing over what must reach somebody outside: by SMTP, or into a folder. Writes no mail (`mail`)."""
