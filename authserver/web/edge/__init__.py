"""WSGI around every door: guard, proxies, mount, headers, CORS, admission, and the log of requests."""
