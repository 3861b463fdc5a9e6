"""The look of an installation: its name, its logo, one accent colour, and the links below each page.

Decides whether a colour can be read (WCAG 2.2, 1.4.3) and whether a file can be a logo. Knows no page and no request.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from authserver.records.scope_texts import ScopeTexts

LEAST_CONTRAST: Final = 4.5
"""The smallest contrast of text to its background."""

_LEAST_SEEN: Final = 3.0
"""The smallest contrast of a button to its surroundings (WCAG 2.2, 1.4.11)."""

LARGEST_LOGO: Final = 100_000
"""Bytes."""

LIGHT_GROUND: Final = "#f4f5f8"
LIGHT_INK: Final = "#ffffff"
"""The text on a button in the accent colour."""

DARK_GROUND: Final = "#1a1e25"
DARK_INK: Final = "#0e1116"
"""The text on a button in a colour that was made for a dark background."""

_SIGNATURES: Final = {"image/png": (b"\x89PNG\r\n\x1a\n",), "image/svg+xml": (b"<svg", b"<?xml", b"<!--")}
_SUFFIXES: Final = {".png": "image/png", ".svg": "image/svg+xml"}
_STEPS: Final = 100


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent colour, for links and for the background of the main button, each as `#rrggbb`.

    Attributes:
        light: links and buttons on a light background.
        light_strong: `light` under the pointer.
        dark: links on a dark background; lighter, so that they can be read.
        dark_strong: `dark` under the pointer.
        dark_button: buttons on a dark background: the colour itself, unless it could not be seen there.
        dark_button_strong: `dark_button` under the pointer.
    """

    light: str
    light_strong: str
    dark: str
    dark_strong: str
    dark_button: str
    dark_button_strong: str


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that the server itself serves."""

    content_type: str
    content: bytes


def derive_accent(colour: str) -> Accent:
    """Derive the accent from `#rrggbb`: unchanged on a light background, and as light as necessary on a dark one.

    Raises:
        ValueError: it could not be read on a light background. The message is one line without the value.
    """
    text = colour.strip().lower()
    if len(text) != len("#rrggbb") or text[0] != "#" or set(text[1:]) - set("0123456789abcdef"):
        raise ValueError("must be a colour like #2450c8")
    contrast = min(find_contrast(text, LIGHT_INK), find_contrast(text, LIGHT_GROUND))
    if contrast < LEAST_CONTRAST:
        raise ValueError(
            f"must be a darker colour: its contrast with white is {contrast:.1f}:1, and at least {LEAST_CONTRAST}:1"
            " is needed"
        )
    # A little above the minimum: light text on a dark background looks thinner than it is.
    dark = _lighten(text, LEAST_CONTRAST * 1.3)
    # White text can be read on it, because the contrast of white to the dark background is above 3 x 4.5.
    button = _lighten(text, _LEAST_SEEN)
    return Accent(
        light=text,
        light_strong=_mix(text, "#000000", 0.18),
        dark=dark,
        dark_strong=_mix(dark, "#ffffff", 0.25),
        dark_button=button,
        dark_button_strong=_mix(button, "#000000", 0.18),
    )


def _lighten(colour: str, contrast: float) -> str:
    """The nearest colour that has this contrast to the dark background."""
    lighter = (_mix(colour, "#ffffff", step / _STEPS) for step in range(_STEPS + 1))
    return next(each for each in lighter if find_contrast(each, DARK_GROUND) >= contrast)


def find_contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_find_luminance(one), _find_luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def read_logo(path: Path) -> Logo:
    """Read the picture in the file at `path`.

    Raises:
        ValueError: it cannot be a logo. The message is one line.
    """
    remedy = f"must name an .svg or .png file of at most {LARGEST_LOGO // 1000} kB"
    content_type = _SUFFIXES.get(path.suffix.lower())
    if content_type is None:
        raise ValueError(remedy)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_LOGO + 1)
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
    if len(content) > LARGEST_LOGO or not content.lstrip().startswith(_SIGNATURES[content_type]):
        raise ValueError(remedy)
    return Logo(content_type, content)


def _split(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def _find_luminance(colour: str) -> float:
    """The relative luminance of a colour (WCAG 2.2, "relative luminance")."""
    red, green, blue = (_linearise(part / 255) for part in _split(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linearise(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - as defined there


def _mix(colour: str, other: str, share: float) -> str:
    parts = zip(_split(colour), _split(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in parts)


DEFAULT_ACCENT: Final = derive_accent("#2450c8")


@dataclass(frozen=True, slots=True)
class Brand:
    """The brand of an installation, as its pages show it.

    Attributes:
        product_name: the name that people know.
        accent: the accent colour.
        logo: the picture; without one, pages show a mark of ours in the accent colour.
        scope_texts: the operator's words for what an app may do.
        support_url, privacy_url, terms_url: the links below each page; None for no link.
    """

    product_name: str = "authserver"
    accent: Accent = DEFAULT_ACCENT
    logo: Logo | None = None
    support_url: str | None = None
    privacy_url: str | None = None
    terms_url: str | None = None
    scope_texts: ScopeTexts = field(default_factory=dict)


DEFAULT_BRAND: Final = Brand()
