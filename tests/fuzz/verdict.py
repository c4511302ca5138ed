"""What every answer of the public listener must be, whatever was sent."""

import json
import re
from typing import Final

from alexa_oauth.protocol.errors import ErrorCode
from tests.attacks.verdict import DESCRIPTION
from tests.fuzz.changes import CANARY
from tests.identity_service import PAGE
from tests.rig import CLIENTS, Answer

ERRORS: Final = {*ErrorCode, "not_found", "method_not_allowed"} - {ErrorCode.SERVER_ERROR, ErrorCode.TEMPORARILY_UNAVAILABLE}
FIELDS: Final = {
    *("Allow", "Cache-Control", "Connection", "Content-Language", "Content-Length", "Content-Security-Policy", "Content-Type"),
    *("Date", "ETag", "Location", "Pragma", "Referrer-Policy", "Retry-After", "Set-Cookie", "Vary", "WWW-Authenticate"),
    *("X-Content-Type-Options", "X-Frame-Options", "X-OAuth-Client", "X-OAuth-Scope", "X-OAuth-Subject"),
}
COOKIE: Final = re.compile(r"alexa_oauth=[A-Za-z0-9_-]{43}; HttpOnly; Max-Age=600; Path=/; SameSite=Lax")
WAYS_BACK: Final = (PAGE, *(uri for client in CLIENTS.values() for uri in client["redirect_uris"]))
LOOPBACK: Final = re.compile(r"http://127\.0\.0\.1:[0-9]{1,5}/cb\?")
SCOPE_ASKED: Final = re.compile(r'Bearer realm="alexa-oauth", error="insufficient_scope", scope="[!#-\[\]-~ ]+"')
"""RFC 6750 §3: the scope that the resource needs, which comes with the request for it, cannot end its quotation."""
RAW: Final = re.compile(CANARY + r"""[^&"'<>]{0,20}["'<>]""")
"""The canary as it may not stand on a page: with what was sent behind it left as it was."""


def judge(answer: Answer, *, head: bool) -> None:
    """No fault of ours, nothing of the request in it, and the header fields that protect whoever gets it."""
    assert 200 <= answer.status < 500
    assert set(answer.headers) <= FIELDS
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    if answer.headers["Cache-Control"] != "public, max-age=300":
        assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    _judge_fields(answer)
    if head and answer.body != b"":
        assert (answer.status, answer.json) == (400, {"error": "invalid_request"}), "what cannot be read has no method"
    elif not head:
        assert len(answer.body) == int(answer.headers.get("Content-Length", 0))
        _judge_body(answer)


def _judge_fields(answer: Answer) -> None:
    for name, value in answer.headers.items():
        assert re.fullmatch("[ -~]*", value)
        assert name == "Location" or CANARY not in value or SCOPE_ASKED.fullmatch(value)
    location = answer.headers.get("Location")
    if location is not None:
        assert location.startswith(WAYS_BACK) or LOOPBACK.match(location)
        assert not set(location) & set("\"'<> \\")
    assert "Set-Cookie" not in answer.headers or COOKIE.fullmatch(answer.headers["Set-Cookie"])


def _judge_body(answer: Answer) -> None:
    match answer.headers.get("Content-Type"):
        case "application/json":
            assert CANARY not in answer.text
            if answer.status >= 400:
                _judge_refusal(json.loads(answer.text))
        case "text/html; charset=utf-8":
            assert not RAW.search(answer.text.replace("</bdi></code>", "&"))
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Frame-Options"] == "DENY"
        case _:
            assert answer.body == b""


def _judge_refusal(said: dict[str, str]) -> None:
    assert {"error"} <= said.keys() <= {"error", "error_description"}
    assert said["error"] in ERRORS
    assert DESCRIPTION.fullmatch(said.get("error_description", "-"))
