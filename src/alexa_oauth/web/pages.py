"""The pages that a person sees, as HTML without script and without anything loaded from elsewhere.

Their sentences stand in `languages/`. A further way to sign in brings a template of its own, `sign_in_<way>.html.jinja`, which
the consent page includes; ways that lead to another service share `sign_in_elsewhere`. A page speaks English unless it is told
otherwise.
"""

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

from alexa_oauth.web.templating import Templates
from alexa_oauth.web.texts import Library, Texts, prose

_PACKAGE: Final = "alexa_oauth.web"


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What the consent page shows of a pending request.

    `scopes` are in words, one sentence each without a full stop. `sign_in` is the way, such as `pairing_code`; `person` has
    signed in already; while nobody has, and `elsewhere` names a service, the page's first button leads there. `is_allowed`: an
    administrator lets the request pass by the click. `error` is a sentence about the last try; `attempts_left` is `None` unless
    that try was a wrong proof. `reference` is the attempt's id.
    """

    client_name: str
    redirect_host: str
    scopes: tuple[str, ...]
    sign_in: str
    request_id: str
    csrf: str
    words: tuple[str, str]
    reference: str
    person: str | None = None
    elsewhere: str | None = None
    is_allowed: bool = False
    error: str | None = None
    attempts_left: int | None = None


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Why a request goes no further: shown here because nobody may be sent to an address that is not known to be good.

    `explanation` and `fix` are sentences, marked as `texts.prose` says. `received` pairs a label with what the request held,
    however hostile. `reference` is the attempt's id, or empty where none is known.
    """

    title: str
    explanation: str
    reference: str
    fix: str | None = None
    received: tuple[tuple[str, str], ...] = ()


class Pages:
    """The templates, and the policy that their one style sheet needs.

    `content_security_policy` names no `form-action`: browsers apply that to the redirects after a form too, and would stop
    the way back to the client. `library` holds the languages.
    """

    def __init__(self) -> None:
        """Read what all pages share."""
        stylesheet = "".join(_read(name) for name in ("ground.css", "page.css"))
        self.content_security_policy: Final = _content_security_policy(stylesheet)
        self.library: Final = Library()
        self._templates = Templates([_PACKAGE], {"stylesheet": stylesheet}, {"prose": prose})

    def consent(self, view: ConsentView, texts: Texts | None = None) -> str:
        """The page that asks a person to approve or deny; its form goes to `/alexa/approve`."""
        return self._render("consent", texts, view=view)

    def problem(self, view: ProblemView, texts: Texts | None = None) -> str:
        """The page that says what is wrong with a request, and what to do about it."""
        return self._render("problem", texts, view=view)

    def home(self, version: str, texts: Texts | None = None) -> str:
        """The page of whoever finds the bare address."""
        return self._render("home", texts, version=version)

    def _render(self, name: str, texts: Texts | None, **shown: object) -> str:
        return self._templates.render(name, **shown, texts=texts or self.library.english)


def _read(name: str) -> str:
    return (resources.files(_PACKAGE) / "templates" / name).read_text(encoding="utf-8")


def _content_security_policy(stylesheet: str) -> str:
    """Nothing loads, nothing runs; the one style element is known by its hash (CSP Level 3 §2.3.1)."""
    digest = base64.b64encode(hashlib.sha256(stylesheet.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"
