"""One image for all tests of this folder, containers that end with their test, and what was measured on the way."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.container.addon import AddOn
from tests.container.engine import Engine

_MEASURED = pytest.StashKey[dict[str, str]]()

Note = Callable[[str, str], None]
MakeAddOn = Callable[..., AddOn]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_MEASURED] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What the image weighs, needs and takes."""
    measured = config.stash.get(_MEASURED, {})
    if measured:
        terminalreporter.section("container")
        for name, value in measured.items():
            terminalreporter.write_line(f"{name:<40} {value}")


@pytest.fixture(scope="session")
def note(pytestconfig: pytest.Config) -> Note:
    """Have a measurement printed at the end of the run."""
    return pytestconfig.stash.setdefault(_MEASURED, {}).__setitem__


@pytest.fixture(scope="session")
def engine(note: Note) -> Iterator[Engine]:
    """The engine, with the image built by the Dockerfile as it is."""
    with Engine() as engine:
        begun = time.monotonic()
        engine.make_base()
        note("base made of Debian's packages", f"{time.monotonic() - begun:.0f} s")
        begun = time.monotonic()
        engine.make_image()
        note("image built", f"{time.monotonic() - begun:.0f} s")
        yield engine


@pytest.fixture
def make_add_on(engine: Engine) -> Iterator[MakeAddOn]:
    """Add-ons of one's own, not started yet; they end with the test."""
    with ExitStack() as stack:

        def make(*arguments: object, **named: object) -> AddOn:
            add_on = AddOn(engine, *arguments, **named)  # type: ignore[arg-type]  # as AddOn takes them
            stack.push(add_on)
            return add_on

        yield make


@pytest.fixture
def add_on(make_add_on: MakeAddOn) -> AddOn:
    """An add-on as it is installed, but for the sign-in: the click alone is enough. It is started."""
    add_on = make_add_on({"sign_in": "approve_only"})
    add_on.start()
    return add_on
