"""The files that make this checkout an add-on and a store, as their readers see them."""

import re
import subprocess
from pathlib import Path, PurePath
from typing import Any, Final

import yaml

from tests.addon.supervisor import OptionType

ROOT: Final = Path(__file__).parents[2]
LANGUAGES: Final = ("de", "en", "es", "fr", "it", "ja", "nl")


class _NothingTwice(yaml.SafeLoader):
    """YAML forbids a key that stands twice in a mapping; most readers take the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as it is inherited
        mapping = super().construct_mapping(node, deep)
        assert len(mapping) == len(node.value), f"a key stands twice{node.start_mark}"
        return mapping


def read_yaml(path: str) -> Any:  # noqa: ANN401 - YAML holds anything
    """A file of the checkout."""
    return yaml.load((ROOT / path).read_text("utf-8"), _NothingTwice)  # noqa: S506 - it is a SafeLoader


def read_text(path: str) -> str:
    """A file of the checkout."""
    return (ROOT / path).read_text("utf-8")


CONFIGURATION: Final[dict[str, Any]] = read_yaml("config.yaml")
OPTIONS: Final[dict[str, Any]] = CONFIGURATION["options"]
DOCS: Final = read_text("DOCS.md")
TRANSLATIONS: Final[dict[str, dict[str, Any]]] = {language: read_yaml(f"translations/{language}.yaml") for language in LANGUAGES}


def option_type(name: str) -> OptionType:
    """The type of an option; of a list of values, that of its items."""
    written = CONFIGURATION["schema"][name]
    (written,) = written if isinstance(written, list) else (written,)
    return OptionType.parse(written)


TYPES: Final = {name: option_type(name) for name in CONFIGURATION["schema"]}


def documented_options() -> dict[str, str]:
    """What DOCS.md says under the heading of each option."""
    parts = re.split(r"^### Option: `([a-z_]+)`\n", DOCS, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], (re.split(r"^##? ", text, flags=re.MULTILINE)[0] for text in parts[1::2]), strict=True))


def tracked() -> list[PurePath]:
    """The files that a clone of this repository has, or will have with the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [PurePath(name) for name in sorted(set(listed.stdout.split("\0"))) if name and (ROOT / name).exists()]
