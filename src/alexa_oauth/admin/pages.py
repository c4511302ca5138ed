"""The panel's templates: one layout, one style sheet, one small script, and a file for each page.

A page gets `view`, a frozen record of its own, and `frame`, what surrounds every page. Values are escaped. A policy forbids
`style` attributes, event attributes and further scripts: looks belong into panel.css, behaviour into panel.js.
"""

import base64
import hashlib
from dataclasses import dataclass, field
from importlib import resources
from typing import Final

from alexa_oauth.admin.formats import FILTERS
from alexa_oauth.diagnosis.notices import Notice
from alexa_oauth.protocol.models import Resident
from alexa_oauth.web.templating import Templates

_PACKAGE: Final = "alexa_oauth.admin"
_PUBLIC: Final = "alexa_oauth.web"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that the navigation names."""

    path: str
    label: str
    for_administrators: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds a page: see `Visit` for `base` and `csrf`. `person` is `None` where nobody is let in.

    `path` is the page's own, `notice` a sentence about what was done last, `caution` one that stands on every page;
    `reminders` are what administrators should hear of on any page, `Health` telling the rest.
    """

    base: str
    path: str
    entries: tuple[Entry, ...]
    person: Resident | None
    csrf: str = field(repr=False)
    may_sign_out: bool
    notice: str | None
    caution: str | None
    reminders: tuple[Notice, ...]
    version: str


class PanelPages:
    """The templates, and the policy that fits them."""

    def __init__(self) -> None:
        """Read what all pages share."""
        stylesheet = _read(_PUBLIC, "ground.css") + _read(_PACKAGE, "panel.css")
        script = _read(_PACKAGE, "panel.js")
        self._policy = (
            f"default-src 'none'; style-src '{_hash(stylesheet)}'; script-src '{_hash(script)}'; connect-src 'self'; "
            "form-action 'self'; base-uri 'none'; frame-ancestors "
        )
        self._templates = Templates([_PACKAGE, _PUBLIC], {"stylesheet": stylesheet, "script": script}, FILTERS)

    def content_security_policy(self, framed_by: str) -> str:
        """Nothing loads; the one style element and the one script are known by their hashes (CSP Level 3 §2.3.1)."""
        return self._policy + framed_by

    def render(self, name: str, frame: Frame, view: object) -> str:
        """The page of that name, such as `links`."""
        return self._templates.render(name, frame=frame, view=view)


def _read(package: str, name: str) -> str:
    return (resources.files(package) / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
