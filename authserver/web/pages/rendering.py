"""The templates of the pages, which an operator may replace.

A file in the operator's folder replaces the template of the same name. All of them are checked when the server starts.
It does not start if a template is broken, replaces nothing, uses a value that the page does not have, or lacks the
`csrf_field()` that its form needs. The attributes of a value (`client.name`) are not checked.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from flask import Flask, current_app, request, url_for
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    meta,
    nodes,
    select_autoescape,
)

from authserver.branding.brand import DARK_GROUND, DARK_INK, LIGHT_GROUND, LIGHT_INK, Brand
from authserver.mail.compose import UnusableTemplateError
from authserver.web.pages.csrf import csrf_field
from authserver.web.pages.languages import current_language, translate, translate_number

_EXTENSION: Final = "authserver.pages"
_GIVEN: Final = frozenset({"brand", "language"})
"""The values that every page has, in addition to its own."""


@dataclass(frozen=True, slots=True)
class Look:
    """The brand and the templates of an installation."""

    brand: Brand
    templates: Environment


def dress(app: Flask, brand: Brand, overrides: Path | None) -> None:
    """Set the brand and the templates of the pages of `app`.

    Raises:
        UnusableTemplateError: one of the operator's templates cannot be used. The message is one line.
    """
    app.extensions[_EXTENSION] = Look(brand, load_templates(overrides))


def current_look() -> Look:
    """The look of the application that handles this request."""
    look: Look = current_app.extensions[_EXTENSION]
    return look


def render(template: str, **values: object) -> str:
    """Render a template to text."""
    look = current_look()
    return look.templates.get_template(template).render(values, brand=look.brand, language=current_language())


def load_templates(overrides: Path | None) -> Environment:
    """Load all templates, and check those of the operator.

    Raises:
        UnusableTemplateError: one of the operator's templates cannot be used. The message is one line.
    """
    ours = PackageLoader("authserver.web.pages")
    replaced = [] if overrides is None else [FileSystemLoader(overrides)]
    templates = _build_environment(ChoiceLoader([*replaced, ours]))
    original = _build_environment(ours)
    for loader in replaced:
        for name in loader.list_templates():
            _try_out(name, templates, original)
    return templates


def page_path(path: str, **query: str | None) -> str:
    """The address of one of our pages, including the path of the issuer. Empty query values are left out."""
    root = request.script_root
    known = {name: value for name, value in query.items() if value}
    return f"{root}{path}" + (f"?{urlencode(known)}" if known else "")


def _here() -> str:
    return page_path(request.path)


def _build_environment(loader: BaseLoader) -> Environment:
    templates = Environment(
        loader=loader,
        autoescape=select_autoescape(("html", "svg"), default=False),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.install_gettext_callables(translate, translate_number, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    templates.globals |= {
        "csrf_field": csrf_field,
        "here": _here,
        "page_path": page_path,
        "url_for": url_for,
        "light": {"ground": LIGHT_GROUND, "ink": LIGHT_INK},
        "dark": {"ground": DARK_GROUND, "ink": DARK_INK},
    }
    return templates


def _try_out(name: str, templates: Environment, original: Environment) -> None:
    if name not in original.list_templates():
        raise UnusableTemplateError(f"there is no page template {name} to replace")
    try:
        templates.get_template(name)
        own, ours = _parse(name, templates), _parse(name, original)
    except (TemplateError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None)
        reason = getattr(error, "message", None) or type(error).__name__
        at = f" (line {line})" if line else ""
        raise UnusableTemplateError(f"the page template {name} cannot be used: {reason}{at}") from None
    foreign = meta.find_undeclared_variables(own) - meta.find_undeclared_variables(ours) - _GIVEN
    if foreign:
        raise UnusableTemplateError(f"the page template {name} cannot be used: there is no {min(foreign)} in it")
    if _has_proof(ours) and not _has_proof(own):
        raise UnusableTemplateError(f"the page template {name} cannot be used: its form needs {{{{ csrf_field() }}}}")


def _parse(name: str, templates: Environment) -> nodes.Template:
    source = "" if templates.loader is None else templates.loader.get_source(templates, name)[0]
    return templates.parse(source)


def _has_proof(template: nodes.Template) -> bool:
    return any(name.name == csrf_field.__name__ for name in template.find_all(nodes.Name))
