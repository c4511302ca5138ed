"""What must come back to an attacker, judged whole: status, address, error, header fields, and rows that did not change."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from alexa_oauth.protocol.events import Reason
from alexa_oauth.web.problems import problem_for
from alexa_oauth.web.texts import Library
from tests.rig import ISSUER, Answer, Browser, Rig

ENGLISH: Final = Library().english
EX_URI: Final = "https://ex.test/cb"
STATE: Final = "st/at+e="
CODE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
COOKIE: Final = re.compile(r"alexa_oauth=([A-Za-z0-9_-]{43}); HttpOnly; Max-Age=600; Path=/; SameSite=Lax")
"""What binds a page to its browser, by http."""
DESCRIPTION: Final = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749 §4.1.2.1 and §5.2: what an error_description may hold."""

NOTHING: Final = {"pending_requests": 0, "codes": 0, "grants": 0, "access_tokens": 0}
BEGUN: Final = {**NOTHING, "pending_requests": 1}


def rows(rig: Rig) -> dict[str, int]:
    """How many rows stand in each table that a request could change."""
    return rig.store.read(
        lambda tx: {table: tx.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in NOTHING}  # noqa: S608 - the names are ours
    )


def define_clients(rig: Rig, clients: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Write the clients file anew and have it read; the faults that were found in it."""
    rig.server.settings.clients_file.write_text(json.dumps(clients))
    return rig.server.definitions.reload_if_changed()


def target(rig: Rig, suffix: str = "", client_id: str = "C1", **changes: str | None) -> str:
    """The target of a valid authorization request, with changes, and with a suffix that no library would encode so."""
    return f"/alexa/authorize?{urlencode(rig.authorization(client_id, **changes))}{suffix}"


def assert_consent(answer: Answer) -> None:
    """The page that asks a person."""
    assert answer.status == 200, answer.text
    assert answer.hidden.keys() == {"request", "csrf"}
    assert "Location" not in answer.headers


async def begun(rig: Rig, client_id: str = "C1") -> tuple[Browser, Answer]:
    """A browser that has the consent page open."""
    browser = rig.browser()
    page = await browser.authorize(client_id)
    assert_consent(page)
    return browser, page


def assert_page(answer: Answer, reason: Reason, status: int = 400) -> None:
    """A page of our own that says the reason in words: nobody is sent anywhere, and nothing is left in the browser."""
    assert answer.status == status
    assert f"<title>{ENGLISH[problem_for(reason).title]}</title>" in answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert not {"Location", "Refresh", "Set-Cookie"} & answer.headers.keys()
    assert 'http-equiv="refresh"' not in answer.text
    assert "<code></code>" not in answer.text, "no reference is better than an empty one"
    assert ENGLISH["advice.ask_operator"] not in answer.text or "Reference <code>" in answer.text


def returned(answer: Answer, uri: str = EX_URI) -> dict[str, str]:
    """The parameters behind the registered URI, which stands at the front byte for byte; no parameter may come twice.

    No cache keeps where the code went, and the next site is not told where it came from.
    """
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    joint = "&" if "?" in uri else "?"
    assert answer.location.startswith(uri + joint)
    assert not {"#", " ", "\r", "\n"} & set(answer.location)
    pairs = parse_qsl(answer.location.removeprefix(uri + joint), keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def assert_sent_back(answer: Answer, error: str, *, uri: str = EX_URI, state: str | None = STATE, status: int = 302) -> None:
    """RFC 6749 §4.1.2.1 and RFC 9207 §2: error, state as it was sent, issuer; no code, no cookie, no text."""
    assert answer.status == status, answer.text
    parameters = returned(answer, uri)
    assert DESCRIPTION.fullmatch(parameters.pop("error_description"))
    assert parameters == {"error": error, "iss": ISSUER} | ({} if state is None else {"state": state})
    assert answer.body == b""
    assert "Set-Cookie" not in answer.headers


def assert_code(answer: Answer, *, uri: str = EX_URI, state: str | None = STATE) -> str:
    """RFC 6749 §4.1.2: the code of a success, by which nothing but state and issuer stands."""
    assert answer.status == 303, answer.text
    parameters = returned(answer, uri)
    code = parameters.pop("code")
    assert CODE.fullmatch(code)
    assert parameters == {"iss": ISSUER} | ({} if state is None else {"state": state})
    return code


def assert_json(answer: Answer, status: int, error: str, description: str | None = None) -> None:
    """RFC 6749 §5.2, which no cache may keep."""
    assert (answer.status, answer.json["error"]) == (status, error), answer.text
    assert answer.json.keys() == {"error", "error_description"}
    assert DESCRIPTION.fullmatch(answer.json["error_description"])
    assert description is None or answer.json["error_description"] == description
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
