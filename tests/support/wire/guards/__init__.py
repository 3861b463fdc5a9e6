"""Two resource servers that follow the feed, for journeys: one Flask, one ASGI. Served by granian."""
