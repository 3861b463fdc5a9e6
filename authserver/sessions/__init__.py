"""Pure decisions about sessions: families and their states, rotation, lifetimes, devices, soft logout.

Functions take facts and `now` and return a value. Nothing here reads a clock, a database or a request.
"""
