"""The doors: HTTP in, use case, HTTP out. The only room that imports Flask; decides nothing and never commits."""
