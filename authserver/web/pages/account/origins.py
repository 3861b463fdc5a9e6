"""The source of a session or an event, in terms that people can judge: network, browser, system.

It names the network, never a place. Tables of places are wrong too often and would frighten people for nothing.
Browsers are recognised by the few words that nearly all of them send. A library that knows all browsers (`ua-parser`)
took 12 MB in each worker, and 16 ms for a text that it does not know.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from authserver.web.pages.languages import translate

_IPV6_PREFIX: Final = 32

_BROWSERS: Final = (
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("OPX/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Word → browser. The first match counts, because a browser also sends the names of browsers that it imitates."""

_SYSTEMS: Final = (
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def say_browser(user_agent: str) -> str:
    """Name the browser and the system, as far as they are known; empty if neither is.

    The answer holds only names from our tables, never text that the sender of `user_agent` chose.
    """
    browser, system = _find(_BROWSERS, user_agent), _find(_SYSTEMS, user_agent)
    if browser and system:
        return translate("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system


def say_network(address: str | None) -> str:
    """Name the network of an address: `203.0.113.x`, `2001:db8::/32`; empty if there is no address."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ip_network((int(parsed), _IPV6_PREFIX), strict=False))
        parsed = parsed.ipv4_mapped
    return _shorten(parsed)


def _shorten(address: IPv4Address) -> str:
    return f"{str(address).rpartition('.')[0]}.x"


def _find(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for word, name in names if word in text), "")
