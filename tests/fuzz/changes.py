"""What a stranger does to a request: one part of it dropped, doubled, or replaced by what may break whoever reads it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.honest import Pairs, Sent

CANARY: Final = "zq7canary"
"""Stands in most of what is sent in an honest value's place, so that it can be found where it is repeated."""

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", f"{CANARY}", "M-SEARCH")
FIELDS: Final = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Authorization", "CF-Connecting-IP", "Content-Encoding", "Content-Type"),
    *("Cookie", "Forwarded", "Host", "If-Modified-Since", "If-None-Match", "Origin", "Range", "Referer", "Sec-Fetch-Site"),
    *("User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override", CANARY),
)
PARAMETERS: Final = (
    *("client_id", "client_secret", "client_assertion", "code", "code_challenge", "code_challenge_method", "code_verifier"),
    *("csrf", "decision", "grant_type", "pairing_code", "prompt", "redirect_uri", "refresh_token", "request", "request_uri"),
    *("response_mode", "response_type", "scope", "state", "token", "token_type_hint", "access_token", "", "%", CANARY),
)
VALUES: Final = (
    *("", "%", "%0", "%zz", "%00", "\x00", "%FF", "\xff\xfe", "\xc3\xa9", "%C3%A9", "%ED%A0%80", "%F4%90%80%80"),
    *("+", "%2B", "=", "&", "#", "music.read", "music.read%20music.control", "S256", "plain", "code", "none", "form_post"),
    *("approve", "deny", "sign_in", "authorization_code", "refresh_token", "password", "C2", "P1", "RS", "amazon-alexa"),
    *("http://[::1", "http://127.0.0.1:1/cb", "http://127.0.0.1:99999/cb", "null", "cross-site", "identity", "gzip"),
    *("127.0.0.1", "fe80::1%25x", 'for="[::1]:x"', "bytes=0-1", "Thu, 01 Jan 1970 00:00:00 GMT", "application/json"),
    *("Bearer", "Bearer \xff", "Basic", "Basic Og==", "Basic \xff", "alexa_oauth=\xff", "alexa_oauth=; alexa_oauth=x"),
    *("application/x-www-form-urlencoded; charset=x", "multipart/form-data", "9" * 400, "A" * 43, "a" * 5_000, "(" * 500),
    *("%0d%0aSet-Cookie:%20x=1", "%E2%80%A8", "%1b[2J", "https://two.test/cb?a=1", "https://ex.test/cb/", "https://ex.test/cb?"),
    *("https://ex.test/cb%23", "https://ex.test/cb%0d%0aX-Forged:%20x", f"https://ex.test/cb%3Fx={CANARY}%22%3E"),
    f"https://ex.test/cb@{CANARY}.test",
)
HOSTILE: Final = tuple(
    f"{CANARY}{tail}" for tail in ("", "<b>", '"', "'", "%3Cb%3E", "%22%3E%3Cscript%3E", "%27", "%26%23", "%0d%0aX-Forged:%20x")
)
PATHS: Final = (
    *("{0}/", "/{0}", "{0}%00", "{0}%20", "{0};a=b", "{0}.json", "/x/..{0}", "{0}/../..", "{0}%2f..", "{0}\\"),
    *("http://evil.test{0}", "{0}%", "{0}%zz", "{0}\xff", "*", "", "evil.test:443"),
    *(f"{{0}}/{CANARY}", f"{{0}}#{CANARY}", "{0}%0d%0aX-Forged:x", f"/{CANARY}"),
)

_texts = (
    st.sampled_from(HOSTILE)
    | st.sampled_from(VALUES)
    | st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n"), max_size=30)
)


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `place` counts around the parts that there are."""

    kind: str
    place: int
    name: str
    text: str

    def apply(self, sent: Sent) -> Sent:
        """The request after it."""
        return _KINDS[self.kind](self, sent)

    def _method(self, sent: Sent) -> Sent:
        return replace(sent, method=METHODS[self.place % len(METHODS)])

    def _path(self, sent: Sent) -> Sent:
        return replace(sent, path=PATHS[self.place % len(PATHS)].format(sent.path))

    def _parameter(self, sent: Sent) -> Sent:
        if sent.form is not None:
            return replace(sent, form=self._among(sent.form))
        return replace(sent, query=self._among(sent.query))

    def _query(self, sent: Sent) -> Sent:
        return replace(sent, query=(*sent.query, (self.name, self.text)))

    def _body(self, sent: Sent) -> Sent:
        return replace(sent, form=((self.name, self.text), *(sent.form or ())))

    def _field(self, sent: Sent) -> Sent:
        return replace(sent, fields=self._among(sent.fields))

    def _more_fields(self, sent: Sent) -> Sent:
        return replace(sent, fields=(*sent.fields, (FIELDS[self.place % len(FIELDS)], self.text)))

    def _among(self, pairs: Pairs) -> Pairs:
        """A pair dropped, doubled, cut, spoilt in one character, or given another name or value."""
        if not pairs:
            return ((self.name, self.text),)
        how, at = divmod(self.place, len(pairs))
        name, value = pairs[at]
        variants: tuple[Pairs, ...] = (
            ((name, self.text),),
            ((self.name, value), (name, self.text)),
            (),
            ((name, value), (name, value)),
            ((name, value), (name, self.text)),
            ((name, value[: len(value) // 2]),),
            ((name, value[:-1] + ("A" if value[-1:] != "A" else "B")),),
            ((name, value + self.text),),
            ((name.upper(), value),),
        )
        return (*pairs[:at], *variants[how % len(variants)], *pairs[at + 1 :])


_KINDS: Final[dict[str, Callable[[Change, Sent], Sent]]] = {
    "method": Change._method,
    "path": Change._path,
    "parameter": Change._parameter,
    "query": Change._query,
    "body": Change._body,
    "field": Change._field,
    "further field": Change._more_fields,
}

changes = st.lists(
    st.builds(
        Change, st.sampled_from([*_KINDS, "parameter", "parameter"]), st.integers(0, 200), st.sampled_from(PARAMETERS), _texts
    ),
    min_size=1,
    max_size=2,
)


@dataclass(frozen=True, slots=True)
class Slip:
    """Octets of the request as sent that are replaced by others, somewhere in it."""

    place: int
    length: int
    instead: bytes

    def apply(self, octets: bytes) -> bytes:
        """What is sent after it; a server may have to wait for the rest of that."""
        at = self.place % len(octets)
        return octets[:at] + self.instead + octets[at + self.length :]


slips = st.builds(
    Slip, st.integers(0, 2_000), st.integers(0, 4), st.binary(max_size=4) | st.sampled_from([b"\r\n", b"\n", b"\0", b" "])
)
