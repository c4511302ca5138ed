"""The image without Home Assistant, as the README has it started."""

import http.client
import re
import shlex
import urllib.request
from itertools import pairwise
from typing import Final

import pytest

from tests.addon.files import read_text
from tests.container.addon import AddOn
from tests.container.conftest import MakeAddOn

pytestmark = pytest.mark.container

SECTION: Final = read_text("README.md").partition("\n## In a container\n")[2].partition("\n## ")[0]
TOLD_SECONDS: Final = 10
"""Health answers a moment before the start is told."""
BUILD, RUN = (shlex.split(command) for command in re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL))


def values(option: str) -> list[str]:
    """What the README's command gives that option."""
    return [value for word, value in pairwise(RUN) if word == option]


@pytest.fixture
def alone(make_add_on: MakeAddOn) -> AddOn:
    """A container with the README's settings and its volume, which nobody supervises; it is started."""
    add_on = make_add_on()
    del add_on.environment["SUPERVISOR_TOKEN"]
    add_on.environment |= dict(value.split("=", 1) for value in values("--env"))
    add_on.volume = "type=volume,source={},destination={}".format(*values("--volume")[0].split(":"))
    add_on.start()
    return add_on


def test_the_two_commands_are_about_one_image_and_let_nobody_but_this_machine_in() -> None:
    assert ["docker", "build", "--tag", RUN[-1], "."] == BUILD
    assert values("--publish") == [f"127.0.0.1:{port}:{port}" for port in (8096, 8099)]


def test_it_shows_the_way_into_the_panel_and_a_code_and_forgets_nothing(alone: AddOn) -> None:
    code = re.compile(r"^  pairing code  [A-Z]{4}-[A-Z]{4} ", re.MULTILINE)
    alone.wait_until(lambda: code.search(alone.log()) is not None, TOLD_SECONDS)
    assert "https://music.example.org/alexa/authorize" in alone.execute("alexa-oauth", "alexa-config")
    link = alone.execute("alexa-oauth", "admin-link").strip()
    assert link.startswith(f"http://127.0.0.1:{alone.admin_port}/open/")
    with urllib.request.urlopen(link, timeout=10) as opened:  # noqa: S310 - the link was just seen to be http
        assert opened.status == http.client.OK
    key = alone.execute("alexa-oauth", "key", "show-id")
    alone.remove()
    alone.start()
    assert alone.execute("alexa-oauth", "key", "show-id") == key
