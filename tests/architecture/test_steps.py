"""What a person is asked on the way: steps know the dispatcher and each other as little as rooms on one step do."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from authserver.authorization.outcomes import Missing
from authserver.web.pages import dispatcher
from authserver.web.pages.blueprint import pages
from authserver.web.pages.dispatcher import PURPOSES, STEPS
from tests.architecture.test_staircase import imports

FILES = {step.path: Path(sys.modules[step.act.__module__].__file__ or "") for step in STEPS}
"""Path of a step → the file that it is."""


def list_missing(kind: type[Missing] = Missing) -> Iterator[type[Missing]]:
    for each in kind.__subclasses__():
        if (
            getattr(sys.modules[each.__module__], each.__name__) is each
        ):  # and not what a dataclass with slots was made of
            yield each
        yield from list_missing(each)


@pytest.mark.parametrize("path", FILES)
def test_a_step_leads_to_no_other_step(path: str) -> None:
    """It returns to the dispatcher, which alone knows what comes next."""
    source = FILES[path].read_text()
    forbidden = {step.act.__module__ for step in STEPS if step.path != path} | {dispatcher.__name__}
    assert not {name for name in imports(source, at_run_time=False) if name.startswith(tuple(forbidden))}
    assert not [other for other in FILES if other != path and f'"{other}"' in source]


def test_a_step_is_one_file_and_one_line() -> None:
    assert len(set(FILES.values())) == len(STEPS)
    named = [path for path in Path(dispatcher.__file__).parent.rglob("*.py") if "import CONSENT" in path.read_text()]
    assert named == [Path(dispatcher.__file__)]


def test_whatever_can_be_missing_has_one_page_that_gives_it() -> None:
    """Else the person would end on an error."""
    served = [step.serves for step in STEPS]
    assert len(set(served)) == len(served)
    assert set(served) == set(list_missing())


def test_the_dispatcher_serves_the_pages_of_all_steps() -> None:
    app = Flask(__name__)
    app.register_blueprint(pages)
    for step in STEPS:
        views = [app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules() if rule.rule == step.path]
        assert [view.__module__ for view in views] == [dispatcher.__name__] * 2


def test_names_of_purposes_are_never_taken_twice() -> None:
    """A request under way says by its name how it is answered."""
    assert len({purpose.name for purpose in PURPOSES}) == len(PURPOSES)
