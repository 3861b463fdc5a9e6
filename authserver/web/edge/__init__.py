"""WSGI middleware around all endpoints: guard, proxies, mount, headers, CORS, admission, access log."""
