"""What is in the image, and what is not."""

import json
import re
from pathlib import PurePath
from typing import Any, Final

import pytest

from tests.addon.files import CONFIGURATION, tracked
from tests.container.addon import ULIMITS
from tests.container.conftest import Note
from tests.container.engine import BASE, IMAGE, VERSION, Engine

pytestmark = pytest.mark.container

MEGABYTE: Final = 1_000_000
LEFTOVERS: Final = r"""
find /var/lib/apt/lists /var/cache/apt /root/.cache /tmp /var/tmp /var/log/apt -type f 2>/dev/null
find /opt ( -name pip -o -name '*.whl' -o -name '*.lock' -o -name .git )
command -v pip gcc strip git
""".replace("(", r"\(").replace(")", r"\)")
WRITABLE: Final = (
    r"find / -xdev ! -type l ! -perm -1000 \( -user alexa -o -group alexa -o -perm -o+w \) ! -path '/proc/*' ! -path '/dev/*'"
)


def sh(engine: Engine, script: str, image: str = IMAGE) -> list[str]:
    """The lines that a script prints in a container of which nothing else is started."""
    entry = ("--entrypoint", "sh", image, "-c", f"{script}\ntrue")
    return engine.podman("run", "--rm", "--network", "none", *ULIMITS, *entry).splitlines()


@pytest.fixture(scope="module")
def description(engine: Engine) -> Any:  # noqa: ANN401 - whatever the engine says
    return json.loads(engine.podman("image", "inspect", IMAGE))[0]


def test_it_is_small(description: dict[str, Any], note: Note) -> None:
    note("image, uncompressed", f"{description['Size'] / MEGABYTE:.0f} MB")
    assert description["Size"] < 200 * MEGABYTE


def test_nothing_of_its_building_is_left(engine: Engine) -> None:
    assert sh(engine, LEFTOVERS) == []


def test_nothing_of_the_machine_that_built_it_is_left(engine: Engine, description: dict[str, Any]) -> None:
    """Whom that machine trusts, where it fetches from, what its environment holds."""
    digest = "sha256sum /etc/ssl/certs/ca-certificates.crt"
    assert sh(engine, digest) == sh(engine, digest, BASE)
    variables = {variable.partition("=")[0] for variable in description["Config"]["Env"]}
    ours = {"ALEXA_OAUTH_HOST", "ALEXA_OAUTH_ADMIN_HOST", "ALEXA_OAUTH_DATA_DIR", "S6_KILL_GRACETIME", "S6_VERBOSITY"}
    assert variables == {"PATH", "LANG", "DEBIAN_FRONTEND"} | ours
    assert set(re.findall(r"https?://([^/\s\"]+)", json.dumps(description))) == set()


def test_the_server_can_change_nothing_of_the_image(engine: Engine) -> None:
    assert sh(engine, WRITABLE) == []
    assert sh(engine, "getent passwd alexa; id alexa") == [
        "alexa:x:896:896::/data:/usr/sbin/nologin",
        "uid=896(alexa) gid=896(alexa) groups=896(alexa)",
    ]


def test_python_is_debians_and_every_module_is_compiled_already(engine: Engine, note: Note) -> None:
    (version,) = sh(engine, "/opt/alexa-oauth/.venv/bin/python --version")
    note("Python in the image", version.removeprefix("Python "))
    assert version.startswith("Python 3.13.")
    sources, compiled = (sorted(sh(engine, f"cd /opt/alexa-oauth/src; find -name '{kind}'")) for kind in ("*.py", "*.pyc"))
    assert compiled == sorted(re.sub(r"([^/]+)\.py$", r"__pycache__/\1.cpython-313.pyc", source) for source in sources)


def test_the_server_is_there_and_nothing_else_of_the_checkout(engine: Engine) -> None:
    laid = sh(engine, "cd /opt/alexa-oauth; ls -A; ls -A src; find src -type f")
    kinds = {PurePath(path).suffix for path in laid if path.startswith("src/")}
    assert [path for path in laid if not path.startswith("src/")] == [".venv", "LICENSE", "run.sh", "src", "alexa_oauth"]
    assert kinds == {path.suffix for path in tracked() if path.is_relative_to("src")} | {".pyc"}


def test_what_it_says_of_itself(description: dict[str, Any]) -> None:
    labels = description["Config"]["Labels"]
    assert labels["io.hass.type"] == "app"
    assert (labels["io.hass.version"], labels["io.hass.arch"]) == (VERSION, "amd64")
    assert labels["io.hass.name"] == labels["org.opencontainers.image.title"] == CONFIGURATION["name"]
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert description["Config"]["Entrypoint"] == ["/init"]
    assert description["Healthcheck"]["Test"] == ["CMD", "alexa-oauth", "health", "--live"]
    assert not description["Config"].get("User"), "the supervision tree must be root's"
