"""The HTTP doors: parse a request, call a use case, answer. Only this room imports Flask.

It decides nothing and never commits.
"""
