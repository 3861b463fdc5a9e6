"""The documents of clients in `tests/vectors/client_documents.json`, good and hostile, each with its answer."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.wire.loopback import Reply

_FILE: Final = Path(__file__).parents[2] / "vectors" / "client_documents.json"
_WIRE: Final = ("cut off", "longer than", "compressed")


@dataclass(frozen=True)
class DocumentVector:
    """One answer of a document server. `answer` is `accepted`, or what the log says of its refusal."""

    name: str
    answer: str
    says: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    appended: str = ""
    body: str | None = None
    status: int = 200
    headers: dict[str, str | None] = field(default_factory=dict)

    @property
    def is_accepted(self) -> bool:
        return self.answer == "accepted"

    @property
    def is_about_the_wire(self) -> bool:
        """Whether the answer is refused before it is read as a document."""
        return self.answer.startswith(_WIRE)


def describe_app(url: str, **says: Any) -> dict[str, Any]:  # noqa: ANN401 - as JSON is
    """What a client says of itself at `url`."""
    return {
        "client_id": url,
        "client_name": "Sketch",
        "redirect_uris": ["https://app.example/callback"],
        "token_endpoint_auth_method": "none",
        **says,
    }


def write_document(vector: DocumentVector, url: str) -> Reply:
    """The answer at `url`."""
    members = {name: value for name, value in describe_app(url, **vector.says).items() if name not in vector.without}
    if vector.appended:
        members["client_id"] = url + vector.appended
    body = json.dumps(members) if vector.body is None else vector.body.replace("URL", url)
    headers = {"Content-Type": "application/json", **vector.headers}
    return Reply(body.encode(), vector.status, {name: value for name, value in headers.items() if value is not None})


_READ: Final = json.loads(_FILE.read_text(encoding="utf-8"))

DOCUMENTS: Final = [DocumentVector(**row) for row in _READ["documents"]]
URLS: Final[list[tuple[str, str | None]]] = [(url, fault) for url, fault in _READ["urls"]]
PRIVATE: Final[list[str]] = _READ["private"]
"""URLs of documents in networks that are not public."""
