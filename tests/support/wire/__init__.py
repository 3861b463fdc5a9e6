"""The network: HTTP clients and servers, mail servers, proxies, and web frameworks with resource servers."""
