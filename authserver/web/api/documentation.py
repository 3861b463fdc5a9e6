"""`/api/openapi.json`, and `/api/docs`, a page that shows the document to people.

The page is plain HTML with one style sheet, no script and no other host, so that the strictest content security policy
allows it.
"""

from typing import TYPE_CHECKING, Any, cast

from flask import Response, current_app, jsonify, render_template
from pydantic.json_schema import models_json_schema

from authserver.web.api.blueprint import api
from authserver.web.api.shapes import ProblemAnswer

if TYPE_CHECKING:
    from apiflask import APIFlask

DESCRIPTION = (
    "The account API for first-party applications. Bodies are JSON with exactly the members described; errors are"
    " `application/problem+json` with a stable `code`. Times are seconds since the epoch, durations are seconds."
)
_DOCUMENT_EXTENSION = "authserver.openapi"
_REVALIDATE = "no-cache"
_CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"


@api.get("/openapi.json")
@api.doc(hide=True)
def answer_openapi() -> Response:
    """Answer with the OpenAPI document."""
    response = jsonify(_load_document())
    response.headers["Cache-Control"] = _REVALIDATE
    return response


@api.get("/docs")
@api.doc(hide=True)
def answer_docs() -> Response:
    """Show the OpenAPI document as a page."""
    response = Response(
        render_template("docs.html", document=_load_document()), content_type="text/html; charset=utf-8"
    )
    response.headers["Cache-Control"] = _REVALIDATE
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    return response


@api.get("/docs.css")
@api.doc(hide=True)
def answer_stylesheet() -> Response:
    """Answer with the style sheet of the documentation page."""
    response = Response(render_template("docs.css"), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = _REVALIDATE
    return response


def complete(document: dict[Any, Any] | str) -> dict[Any, Any] | str:
    """Add to `document` what views cannot declare: the schema of refusals, and that a declared body is required."""
    assert isinstance(document, dict)  # noqa: S101 - APIFlask passes a text only for YAML
    _, definitions = models_json_schema(
        [(ProblemAnswer, "validation")], ref_template="#/components/schemas/{model}", by_alias=True
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(definitions["$defs"])
    schemas["Problem"] = schemas.pop("ProblemAnswer")
    for operations in document["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
    return document


def _load_document() -> dict[str, Any]:
    """Load the document of this application. It is generated once, because that takes as long as a sign-in."""
    extensions = current_app.extensions
    if _DOCUMENT_EXTENSION not in extensions:
        extensions[_DOCUMENT_EXTENSION] = cast("APIFlask", current_app).spec
    document: dict[str, Any] = extensions[_DOCUMENT_EXTENSION]
    return document
