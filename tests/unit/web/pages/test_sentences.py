"""What people read is plain: every sentence of the pages, and every mail."""

import re
from pathlib import Path
from typing import Final

import pytest

from authserver import mail
from authserver.web.pages.links import QUESTIONS
from tests.support.world.catalogues import PAGES, gather

MAILS: Final = Path(mail.__file__).parent / "templates"

RIDDLES: Final = re.compile(
    r"\b(whoever|unwanted|(are|been) told|by a number of|takes? away|should have been|Everybody is|Keep it|say so"
    r"|take[ns]? (it )?back|at the wish|thrown away|run out|the one of|go on to|sent on|address that is not its)\b",
    re.IGNORECASE,
)
"""Words that readers stumbled over."""

_DONE: Final = re.compile(
    r"^(you|your|all|every|changes|the (account|address|password))\b[^.?]* (is|are|was|were) ", re.IGNORECASE
)
"""How a page says what has happened."""

ASKING: Final = ("account_delete.html", "account_others.html", "reset.html", "sign_out.html")


def list_sentences(path: Path) -> list[str]:
    """What is said above the buttons of the template at `path`."""
    return re.findall(r'_\("([^"]*)"', path.read_text())


def test_no_page_speaks_in_riddles() -> None:
    said = [
        text
        for message in gather()
        if message.id
        for text in ([message.id] if isinstance(message.id, str) else message.id)
    ]
    assert len(said) > 200
    assert [text for text in said if RIDDLES.search(text)] == []


@pytest.mark.parametrize("path", sorted(MAILS.iterdir()), ids=lambda path: path.name)
def test_no_mail_speaks_in_riddles(path: Path) -> None:
    assert RIDDLES.findall(" ".join(path.read_text().split())) == []


@pytest.mark.parametrize("name", ASKING)
def test_a_page_that_asks_does_not_sound_as_if_it_were_done(name: str) -> None:
    """Such as "You are signed out" above the button that signs out keeps people from pressing it."""
    sentences = list_sentences(PAGES / "templates" / name)
    assert sentences
    assert [sentence for sentence in sentences if _DONE.search(sentence)] == []


def test_a_question_of_a_mailed_link_does_not_sound_as_if_it_were_done() -> None:
    said = [sentence for question in QUESTIONS for sentence in question.sentences]
    assert [sentence for sentence in said if _DONE.search(sentence)] == []
