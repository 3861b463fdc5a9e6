"""Headers that every answer carries (ASVS 3.4)."""

from flask import Flask, Response

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_HSTS = "max-age=31536000; includeSubDomains"


def set_headers(app: Flask, *, https: bool) -> None:
    """Add to each answer of `app` what it does not set itself."""

    def complete(response: Response) -> Response:
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers.setdefault("Strict-Transport-Security", _HSTS)
        return response

    app.after_request(complete)
