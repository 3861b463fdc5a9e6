"""Name, logo and colour of an installation: people can read them, and only a picture is a logo."""

from pathlib import Path

import pytest

from authserver.branding.brand import (
    DARK_GROUND,
    DARK_INK,
    LARGEST_LOGO,
    LIGHT_GROUND,
    LIGHT_INK,
    derive_accent,
    find_contrast,
    read_logo,
)

STYLESHEET = Path(__file__).parents[3] / "authserver" / "web" / "pages" / "templates" / "pages.css"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#ff0000", "#ffffff", 4.0),
    ],
)
def test_contrast_is_that_of_the_guidelines(one: str, other: str, ratio: float) -> None:
    """WCAG 2.2, "contrast ratio"."""
    assert find_contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert find_contrast(other, one) == find_contrast(one, other)


@pytest.mark.parametrize("colour", ["#2450c8", "#000000", "#8a1c5b", "#0f5f5c", "#6b3fa0", "#4a4a4a", "#B3261E"])
def test_an_accent_can_be_read_in_light_and_in_dark(colour: str) -> None:
    """WCAG 2.2, 1.4.3: as text on the page, and below the text of a button; also under the pointer."""
    accent = derive_accent(colour)
    for light in (accent.light, accent.light_strong):
        assert min(find_contrast(light, LIGHT_INK), find_contrast(light, LIGHT_GROUND)) >= 4.5
    for dark in (accent.dark, accent.dark_strong):
        assert min(find_contrast(dark, DARK_INK), find_contrast(dark, DARK_GROUND)) >= 4.5
    assert accent.light == colour.lower()
    for button in (accent.dark_button, accent.dark_button_strong):
        assert find_contrast(button, LIGHT_INK) >= 4.5
    assert find_contrast(accent.dark_button, DARK_GROUND) >= 3


@pytest.mark.parametrize("colour", ["#b3261e", "#0f7f5c", "#2450c8"])
def test_a_button_keeps_its_colour_in_the_dark_where_it_can_be_seen(colour: str) -> None:
    """WCAG 2.2, 1.4.11: 3:1 to what is around it. People know a service by its colour."""
    accent = derive_accent(colour)
    assert (accent.dark_button == colour) == (find_contrast(colour, DARK_GROUND) >= 3)
    assert accent.dark != accent.dark_button


@pytest.mark.parametrize("colour", ["#ffcc00", "#ffffff", "#7db8f5", "#777777"])
def test_an_accent_that_cannot_be_read_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match=r"must be a darker colour: its contrast with white is [\d.]+:1"):
        derive_accent(colour)


@pytest.mark.parametrize("text", ["", "blue", "#fff", "2450c8", "#2450c8;}", "#2450cg", "url(#x)", "#2450c8ff"])
def test_what_is_no_colour_never_reaches_the_style_sheet(text: str) -> None:
    with pytest.raises(ValueError, match="must be a colour like #2450c8"):
        derive_accent(text)


def test_the_style_sheet_reads_well_by_itself() -> None:
    """WCAG 2.2, 1.4.3 and 1.4.11: texts at least 4.5:1, the edges of fields at least 3:1, in light and in dark."""
    light, dark = _read_palettes(STYLESHEET.read_text(encoding="utf-8"))
    for palette in (light, dark):
        for ground in ("ground", "raised"):
            for text in ("text", "quiet", "alarm"):
                assert find_contrast(palette[text], palette[ground]) >= 4.5, (text, ground)
        assert find_contrast(palette["alarm"], palette["alarm-ground"]) >= 4.5
        assert find_contrast(palette["text"], palette["field"]) >= 4.5
        assert min(find_contrast(palette["line"], palette[each]) for each in ("field", "raised")) >= 3


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("logo.png", PNG, "image/png"),
        ("logo.SVG", b'<?xml version="1.0"?><svg/>', "image/svg+xml"),
        ("logo.svg", b" \n<svg/>", "image/svg+xml"),
    ],
)
def test_a_logo_is_an_svg_or_a_png(tmp_path: Path, name: str, content: bytes, content_type: str) -> None:
    (tmp_path / name).write_bytes(content)
    logo = read_logo(tmp_path / name)
    assert (logo.content_type, logo.content) == (content_type, content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("logo.png", b"<svg/>"),
        ("logo.svg", PNG),
        ("logo.svg", b"<html><script>alert(1)</script></html>"),
        ("logo.gif", b"GIF89a"),
        ("logo.png", PNG + b"\0" * LARGEST_LOGO),
        ("logo.png", b""),
    ],
)
def test_other_files_are_no_logos(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"must name an \.svg or \.png file of at most 100 kB"):
        read_logo(tmp_path / name)


def test_a_logo_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot be read \(No such file or directory\)"):
        read_logo(tmp_path / "logo.png")


def _read_palettes(stylesheet: str) -> tuple[dict[str, str], dict[str, str]]:
    given = {
        "{{ light.ground }}": LIGHT_GROUND,
        "{{ dark.ground }}": DARK_GROUND,
    }
    palettes: list[dict[str, str]] = []
    for block in stylesheet.split(":root {")[1:3]:
        declarations = [line.strip().rstrip(";").partition(": ") for line in block.partition("}\n")[0].splitlines()]
        palettes.append({name[2:]: given.get(value, value) for name, _, value in declarations if name.startswith("--")})
    light, dark = palettes
    return light, {**light, **dark}
