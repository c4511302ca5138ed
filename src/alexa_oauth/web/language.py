"""In which language a person is spoken to: what their browser asks for, by `Accept-Language` (RFC 9110 §12.5.4)."""

import re
from collections.abc import Iterator
from typing import Final

from aiohttp import web

from alexa_oauth.web.parts import PARTS
from alexa_oauth.web.texts import LANGUAGES, Texts

_RANGE: Final = re.compile(r"([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
_HEADER_LIMIT: Final = 1_000
"""Characters of the header that are read; browsers send fewer than 100."""


def preferred(header: str) -> str:
    """The language that fits the header best, and English if none does; of equal ones the first. What is malformed is ignored.

    A range fits by its first subtag, so that `pt-BR` finds `pt` (RFC 4647 §3.4).
    """
    ranges = list(_ranges(header[:_HEADER_LIMIT]))
    named = {language for language, _ in ranges}
    others = [language for language in LANGUAGES if language not in named]
    for language, quality in sorted(ranges, key=lambda pair: -pair[1]):
        fitting = others if language == "*" else [language] if language in LANGUAGES else []
        if quality and fitting:
            return fitting[0]
    return LANGUAGES[0]


def texts_for(request: web.Request) -> Texts:
    """The texts in this person's language."""
    return request.app[PARTS].pages.library.texts(preferred(", ".join(request.headers.getall("Accept-Language", []))))


def spoken_in(texts: Texts) -> dict[str, str]:
    """The header fields of a page in that language."""
    return {"Content-Language": texts.language, "Vary": "Accept-Language"}


def _ranges(header: str) -> Iterator[tuple[str, float]]:
    """Each range's first subtag, and its weight."""
    for part in header.split(","):
        if found := _RANGE.fullmatch(part.strip(" \t")):
            language, quality = found.groups()
            yield language.lower(), float(quality or 1)
