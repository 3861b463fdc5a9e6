"""The pages as a browser uses them: what it looks at, and the forms that it sends from there."""

import re
from html.parser import HTMLParser

from sqlalchemy import select
from werkzeug.test import TestResponse

from authserver.realm import Realm
from authserver.storage.schema import Base
from tests.support.api import Api
from tests.support.realm import ISSUER


class Form(HTMLParser):
    """The one form of a page."""

    def __init__(self, page: str) -> None:
        """Read `page`, which must hold a form."""
        super().__init__()
        self.action = ""
        self.method = ""
        self.fields: dict[str, dict[str, str | None]] = {}
        self.feed(page)
        assert self.action, page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.action, self.method = attributes["action"] or "", attributes["method"] or ""
        if tag == "input":
            self.fields[attributes["name"] or ""] = attributes

    @property
    def values(self) -> dict[str, str]:
        """What it would send as it is."""
        return {name: field.get("value") or "" for name, field in self.fields.items()}


class Pages:
    """A browser without scripts."""

    def __init__(self, api: Api) -> None:
        """Use the application of `api`."""
        self._client = api.app.test_client()

    def get(self, path: str, token: str | None = None, **headers: str) -> TestResponse:
        """Look at a page, by a link with a token or without."""
        query = {} if token is None else {"token": token}
        return self._client.get(path, query_string=query, headers=headers)

    def post(self, path: str, headers: dict[str, str] | None = None, **form: str) -> TestResponse:
        """Send a form, by default as a page of ours does."""
        return self._client.post(path, data=form, headers={"Origin": ISSUER} if headers is None else headers)

    def open_and_send(self, path: str, token: str | None = None, **typed: str) -> TestResponse:
        """Open the page of a link, type, press the button."""
        page = self.get(path, token)
        assert page.status_code == 200, page.text
        form = Form(page.text)
        return self.post(form.action, None, **{**form.values, **typed})


def read_page(response: TestResponse) -> str:
    """What a person reads."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.text.partition("<body>")[2]))


def dump(realm: Realm) -> list[object]:
    """Every row of every table."""
    with realm.database.read() as tx:
        return [tuple(row) for table in Base.metadata.sorted_tables for row in tx.execute(select(table))]
