"""A household with a real nginx in front, for the doctor to look at."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.conftest import StartRig
from tests.diagnosis.households import Authority, Household
from tests.proxy.proxies import HOME


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Who signs the certificates that are right."""
    return Authority()


@pytest.fixture
async def household(start: StartRig, authority: Authority, tmp_path: Path) -> AsyncIterator[Household]:
    """A server that is set up well; the test says what stands in front of it."""
    folder = tmp_path / "nginx"
    folder.mkdir()
    async with AsyncExitStack() as stack:
        rig = await start(public_url=f"https://{HOME}", sign_in="pairing_code", trusted_proxies="127.0.0.1")
        yield Household(rig, authority, folder, stack)
