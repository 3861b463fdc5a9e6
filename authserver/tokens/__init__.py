"""Handing out tokens: what a client may have, the birth of a family, the answer, and what a token proves."""
