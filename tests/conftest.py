"""What every test can ask for."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from alexa_oauth.protocol.sign_in import SignInElsewhere
from tests.rig import Rig, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for a household puts a real nginx in front of it."""
    for item in items:
        if "household" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.proxy)


StartRig = Callable[..., Awaitable[Rig]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[StartRig]:
    """Start a server with settings of one's own; it ends with the test."""
    async with AsyncExitStack() as stack:

        async def begin(elsewhere: SignInElsewhere | None = None, *, supervised: bool = False, **settings: str) -> Rig:
            return await stack.enter_async_context(
                running(tmp_path / "data", settings, elsewhere=elsewhere, supervised=supervised)
            )

        yield begin


@pytest.fixture
async def rig(start: StartRig) -> Rig:
    """A server whose consent page asks for the click alone."""
    return await start()
