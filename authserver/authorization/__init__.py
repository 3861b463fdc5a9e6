"""What a client may do for a user: authorization requests, consent, codes, and questions about tokens.

Signs nobody in (`authentication`) and exchanges nothing (`grants`).
"""
