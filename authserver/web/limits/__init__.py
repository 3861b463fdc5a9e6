"""Rate limits: the limits themselves, their counters, and the counting of tries for views."""
