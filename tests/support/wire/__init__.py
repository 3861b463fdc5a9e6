"""What stands between: HTTP clients and servers, mail servers, proxies, other people's frameworks."""
