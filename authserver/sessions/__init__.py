"""Pure decisions about sessions: families and their states, rotation, lifetimes, devices, soft logout.

Everything takes facts and `now` and returns a value; nothing here reads a clock, a database or a request.
"""
