"""Two resource servers that follow the feed, for journeys: one with Flask, one with ASGI, both served by granian."""
