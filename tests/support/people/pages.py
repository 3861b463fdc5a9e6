"""The pages as a browser uses them: loaded pages, and forms sent from them."""

import re
from html.parser import HTMLParser

from sqlalchemy import select
from werkzeug.test import TestResponse

from authserver.realm import Realm
from authserver.storage.schema import Base
from tests.support.people.api import Api
from tests.support.world.realm import ISSUER


class Form(HTMLParser):
    """The form of a page; `having` is a field that chooses one of several."""

    def __init__(self, page: str, having: str = "") -> None:
        """Read `page`, which must contain such a form."""
        super().__init__()
        self.action = ""
        self.method = ""
        self.fields: dict[str, dict[str, str | None]] = {}
        self._having = having
        self._is_read = False
        self.feed(page)
        assert self.action, page
        assert not having or having in self.fields, page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if self._is_read:
            return
        if tag == "form":
            self.action, self.method = attributes["action"] or "", attributes["method"] or ""
            self.fields = {}
        if tag == "input":
            self.fields[attributes["name"] or ""] = attributes

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_read = not self._having or self._having in self.fields

    @property
    def values(self) -> dict[str, str]:
        """Return the values that the form would send unchanged."""
        return {name: field.get("value") or "" for name, field in self.fields.items()}


class Pages:
    """A browser without scripts."""

    def __init__(self, api: Api, root: str = "") -> None:
        """Use the application of `api`, below the path `root`."""
        self._client = api.app.test_client()
        self._root = root
        self._token: str | None = None

    def get(self, path: str, token: str | None = None, **headers: str) -> TestResponse:
        """Load a page, with or without a token in the link."""
        query = None if token is None else {"token": token}
        return self._client.get(path, query_string=query, headers=headers)

    def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
        """Send a form, by default as our pages do. The form token is this browser's, unless one is given."""
        headers = {"Origin": ISSUER} if headers is None else headers
        return self.post_bare(path, headers, **{"csrf_token": self.find_token(), **form})

    def post_bare(self, path: str, headers: dict[str, str], **form: str) -> TestResponse:
        """Send exactly these fields."""
        return self._client.post(path, data=form, headers=headers)

    def send(self, path: str, body: str, content_type: str = "application/x-www-form-urlencoded") -> TestResponse:
        """Send exactly this request from this browser."""
        return self._client.post(path, data=body, content_type=content_type, headers={"Origin": ISSUER})

    def cookie(self, name: str) -> str:
        """Return the value of this cookie."""
        cookie = self._client.get_cookie(name)
        assert cookie is not None, name
        return cookie.value

    def keeps(self, name: str) -> bool:
        """Whether the browser has this cookie."""
        return self._client.get_cookie(name) is not None

    def set_cookie(self, name: str, value: str) -> None:
        """Set a cookie of the browser."""
        self._client.set_cookie(name, value)

    def forget_cookie(self, name: str) -> None:
        """Remove a cookie, as when the browser is closed."""
        self._client.delete_cookie(name)

    def post_raw(self, path: str, body: str, headers: dict[str, str]) -> TestResponse:
        """Send this text as a form."""
        content_type = "application/x-www-form-urlencoded"
        return self._client.post(path, data=body, headers=headers, content_type=content_type)

    def find_token(self) -> str:
        """Read the form token for this browser from one of our forms."""
        if self._token is None:
            self._token = Form(self.get(f"{self._root}/forgot").text).values["csrf_token"]
        return self._token

    def open_and_send(self, path: str, token: str | None = None, **typed: str) -> TestResponse:
        """Open the page of a link, fill in its form, and send it."""
        page = self.get(path, token)
        assert page.status_code == 200, page.text
        form = Form(page.text)
        return self.post(form.action, None, **{**form.values, **typed})


def read_page(response: TestResponse) -> str:
    """Return the text that a person reads."""
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.text.partition("<body>")[2]))
    return text.replace("\N{NON-BREAKING HYPHEN}", "-")


def dump(realm: Realm) -> list[object]:
    """Read every row of every table."""
    with realm.database.read() as tx:
        return [tuple(row) for table in Base.metadata.sorted_tables for row in tx.execute(select(table))]
