"""The sentences of the public pages: one file a language, read when somebody first asks for it.

A file in `languages/` holds sections of entries; `consent.heading` is the entry `heading` of the section `consent`. Its head
says how to translate.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

from markupsafe import Markup, escape

LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "ja", "hi")
"""The languages that are spoken, as in BCP 47; the first serves whoever asks for none of them."""

_MARKS: Final = ((re.compile(r"`([^`]*)`"), r"<code>\1</code>"), (re.compile(r"\*\*([^*]*)\*\*"), r"<strong>\1</strong>"))


def prose(sentences: str) -> Markup:
    """Sentences as HTML: what stands between backticks is set as code, between double asterisks in bold, all else is text."""
    html = str(escape(sentences))
    for mark, element in _MARKS:
        html = mark.sub(element, html)
    return Markup(html)  # noqa: S704 - it was escaped before the elements came in


@dataclass(frozen=True, slots=True)
class Texts:
    """One language: its tag, and its entries by section and name."""

    language: str
    entries: Mapping[str, str]

    def __getitem__(self, entry: str) -> str:
        """The entry as it stands in the file."""
        return self.entries[entry]

    def say(self, entry: str, **values: object) -> Markup:
        """The entry as HTML, its placeholders filled in; a value that is not `Markup` is escaped."""
        return prose(self.entries[entry]).format(**values)


class Library:
    """The languages that somebody has asked for, each read once."""

    def __init__(self) -> None:
        """Read English; a fault in it shows at the start, not in a request."""
        self._read: Final[dict[str, Texts]] = {}
        self.english: Final = self.texts(LANGUAGES[0])

    def texts(self, language: str) -> Texts:
        """The texts of one of `LANGUAGES`."""
        if language not in self._read:
            file = resources.files(__package__) / "languages" / f"{language}.toml"
            self._read[language] = Texts(language, dict(_flat(tomllib.loads(file.read_text(encoding="utf-8")))))
        return self._read[language]


def _flat(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
