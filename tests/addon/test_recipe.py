"""The Dockerfile and what surrounds it: what a builder reads before a single layer exists."""

import json
import re
from typing import Final

from tests.addon.files import CONFIGURATION, read_text, tracked

DOCKERFILE: Final = read_text("Dockerfile").replace("\\\n", " ")
BASES: Final = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)


def instructions(name: str) -> list[str]:
    return [" ".join(found.split()) for found in re.findall(rf"^{name} (.*)", DOCKERFILE, re.MULTILINE)]


def test_the_base_is_home_assistants_pinned_by_name_and_by_content() -> None:
    first, *others = BASES
    assert re.fullmatch(r"ghcr\.io/home-assistant/base-debian:trixie-[0-9.]+@sha256:[0-9a-f]{64}", first)
    stages = re.findall(r"^FROM \S+ AS (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(others) <= set(stages)


def test_no_argument_chooses_the_base() -> None:
    """Older Supervisors fill in BUILD_FROM by themselves, and would fill in another system."""
    assert "BUILD_FROM" not in DOCKERFILE


def test_packages_come_from_one_index_with_their_hashes() -> None:
    (install,) = [line for line in instructions("RUN") if "pip" in line]
    for option in ("--isolated", "--require-hashes", "--only-binary :all:", "--index-url https://pypi.org/simple"):
        assert option in install
    assert "extra-index" not in DOCKERFILE
    assert "--requirement requirements.lock" in install


def test_the_health_check_is_content_with_any_answer() -> None:
    (check,) = instructions("HEALTHCHECK")
    assert json.loads(check.partition("CMD ")[2]) == ["alexa-oauth", "health", "--live"]


def test_the_labels_say_what_the_store_says() -> None:
    (line,) = instructions("LABEL")
    labels = dict(re.findall(r'([a-z.]+)="([^"]*)"', line))
    for prefix, name in (("io.hass", "name"), ("org.opencontainers.image", "title")):
        assert labels[f"{prefix}.{name}"] == CONFIGURATION["name"]
        assert labels[f"{prefix}.description"] == CONFIGURATION["description"]
    assert labels["io.hass.type"] == "app"
    assert (labels["io.hass.version"], labels["io.hass.arch"]) == ("${BUILD_VERSION}", "${BUILD_ARCH}")


def test_only_what_is_named_reaches_the_builder() -> None:
    rules = [line for line in read_text(".dockerignore").splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    named = [rule.removeprefix("!") for rule in rules[1:] if rule.startswith("!")]
    copied = {word for line in instructions("COPY") if not line.startswith("--from") for word in line.split()[:-1]}
    assert set(named) == copied
    assert all(any(path.is_relative_to(name) for path in tracked()) for name in named)
