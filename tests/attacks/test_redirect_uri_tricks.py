"""Redirect URIs that look like the registered one, or lead elsewhere (RFC 6749 §3.1.2, RFC 9700 §4.1, RFC 8252 §7.3)."""

import string
from html import unescape
from urllib.parse import quote, unquote, urlencode

import pytest

from alexa_oauth.clients.definitions import ClientDefinitions, ClientsFileRefused
from alexa_oauth.protocol.events import Reason
from tests.attacks.verdict import (
    EX_URI,
    NOTHING,
    assert_code,
    assert_consent,
    assert_page,
    assert_sent_back,
    define_clients,
    rows,
    target,
)
from tests.attacks.wire import ask, request
from tests.conftest import StartRig
from tests.rig import ALEXA_URI, ALEXA_VENDOR, CLIENTS, Rig

AS_IT_STANDS = string.ascii_letters + string.digits + "%:/?@;=.~_-[]()!$'*,"
"""Everything that an attacker may leave unencoded in a query: `%` too, so that the server decodes once more than was meant."""

NEARLY: dict[str, tuple[str, ...]] = {
    "B01-slash-behind": ("https://ex.test/cb/", "https://ex.test/cb//"),
    "B02-path-behind": ("https://ex.test/cb/FAKE",),
    "B03-encoded-slash": ("https://ex.test/cb%2FFAKE",),
    "B04-parent": ("https://ex.test/cb/..%2FFAKE", "https://ex.test/cb/%2e%2e%2FFAKE", "https://ex.test/cb/../FAKE"),
    "B05-parent-encoded-twice": ("https://ex.test/cb/..%252FFAKE", "https://ex.test/cb/%252e%252e%252FFAKE"),
    "B06-there-and-back": (
        "https://ex.test/cb/FAKE/..",
        "https://ex.test/cb%2FFAKE%2F..",
        "https://ex.test/cb%252FFAKE%252F%252e%252e",
        "https://ex.test/x/../cb",
        "https://ex.test/./cb",
        "https://ex.test//cb",
    ),
    "B07-semicolon": (
        "https://ex.test/cb/;/../../FAKE",
        "https://ex.test/cb/%3B/../../FAKE",
        "https://ex.test/cb/%3B%2F..%2F..%2FFAKE",
        "https://ex.test/cb/%253B%252F..%252F..%252FFAKE",
        "https://ex.test/cb;x=1",
    ),
    "B08-line-break": (
        "https://ex.test/cb%0A%0D/../../FAKE",
        "https://ex.test/cb%0A%0D%2F..%2F..%2FFAKE",
        "https://ex.test/cb%250A%250D%252F..%252F..%252FFAKE",
        "https://ex.test/cb\n",
        "https://ex.test/cb\r",
    ),
    "B09-query-behind": ("https://ex.test/cb?extra=1", "https://ex.test/cb&extra=1"),
    "B10-code-behind": ("https://ex.test/cb?code=attacker", "https://ex.test/cb?state=x&iss=https://evil.test"),
    "B11-empty-query-or-fragment": ("https://ex.test/cb?", "https://ex.test/cb#", "https://ex.test/cb#x"),
    "B15-needless-encoding": ("https://ex.test/%63b", "https://%65x.test/cb", "https%3A//ex.test/cb"),
    "B16-other-scheme": ("http://ex.test/cb", "HTTPS://ex.test/cb", "httpss://ex.test/cb", "https:ex.test/cb"),
    "B17-host-goes-on": ("https://ex.test.evil.test/cb", "https://ex.test./cb", "https://ex.testevil.test/cb"),
    "B18-host-in-path": ("https://evil.test/ex.test/cb", "https://evil.test/https://ex.test/cb"),
    "B19-userinfo": ("https://ex.test@evil.test/cb", "https://ex.test:x@evil.test/cb", "https://evil@ex.test/cb", "https://@ex.test/cb"),
    "B21-host-behind": ("https://evil.test#@ex.test/cb", "https://evil.test?@ex.test/cb", "https://evil.test\\@ex.test/cb"),
    "B22-other-host": ("https://sub.ex.test/cb", "https://xex.test/cb", "https://EX.test/cb", "https://ex.test:443/cb", "https://ex.test:/cb"),
    "B23-relative": ("//ex.test/cb", "/cb", "cb", "?", "."),
    "B24-other-kind": (
        "javascript:alert(1)//https://ex.test/cb",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "vbscript:x",
        "about:blank",
        "blob:https://ex.test/cb",
        "urn:ietf:wg:oauth:2.0:oob",
    ),
    "B25-blanks": (
        " https://ex.test/cb",
        "https://ex.test/cb ",
        "https://ex.test/cb%20",
        "https://ex.test/cb\t",
        "https://ex.test/cb\u200b",
        "\ufeffhttps://ex.test/cb",
        "https://ex.\ttest/cb",
    ),
    "B26-look-alikes": (
        "https://ex\uff0etest/cb",
        "https://\u0435x.test/cb",
        "https://xn--x-ktb.test/cb",
        "https://e\u200dx.test/cb",
        "https://ex.test\u2215cb",
        "https://ex.test/c\u0062\u0301",
    ),
    "B27-header-injection": ("https://ex.test/cb%0d%0aLocation:%20https://evil.test", "https://ex.test/cb\r\nLocation: https://evil.test"),
    "B28-other-case": ("https://ex.test/CB", "https://ex.test/Cb"),
    "B31-of-another-client": ("https://two.test/cb?a=1", "https://two.test/other", "https://native.test/cb", ALEXA_URI),
    "B32-part-of-it": ("https://ex.test/c", "https://ex.test/", "https://ex.test", "https", "ex.test/cb", "/ex.test/cb", "https://ex.test/cbb"),
    "B36-localhost": ("http://localhost:53123/cb", "http://localhost/cb", "http://127.0.0.1:53123/cb", "http://[::1]:53123/cb"),
}  # fmt: skip

NO_LOOPBACK: dict[str, tuple[str, ...]] = {
    "B36-localhost": ("http://localhost:53123/cb", "http://localhost/cb", "http://LOCALHOST/cb"),
    "B37-nearly-loopback": (
        "http://127.0.0.1.evil.test/cb",
        "http://127.0.0.1.evil.test:53123/cb",
        "http://127.0.0.2/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://0x7f000001/cb",
        "http://0177.0.0.1/cb",
        "http://0.0.0.0/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://[::1]:53123/cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "https://127.0.0.1:53123/cb",
        "http://x@127.0.0.1:53123/cb",
        "http://127.0.0.1:53123@evil.test/cb",
        "http://127.0.0.1:53123.evil.test/cb",
        "http://127.0.0.1:evil.test/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:531230/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:\u0665\u0663/cb",
        "http://127.0.0.1:53123/cb/",
        "http://127.0.0.1:53123/cb?x=1",
        "http://127.0.0.1:53123/cb#x",
        "http://127.0.0.1:53123/cb\n",
        "http://127.0.0.1:53123",
        "http://127.0.0.1:53123/other",
        "https://native.test:53123/cb",
    ),
}


async def assert_nobody_is_sent(rig: Rig, uri: str, client_id: str = "C1") -> None:
    """The URI encoded as it should be, and, where that means something else, as it stands."""
    without = urlencode({name: value for name, value in rig.authorization(client_id).items() if name != "redirect_uri"})
    for encoded in {quote(uri, safe=""), quote(uri, safe=AS_IT_STANDS)}:
        if unquote(encoded) in CLIENTS[client_id]["redirect_uris"]:
            continue
        answer = await rig.send("GET", f"/alexa/authorize?{without}&redirect_uri={encoded}")
        assert_page(answer, Reason.REDIRECT_URI_NOT_REGISTERED)
        assert unquote(encoded) in unescape(answer.text)


@pytest.mark.parametrize("uris", NEARLY.values(), ids=NEARLY)
async def test_only_the_registered_string_is_the_registered_uri(rig: Rig, uris: tuple[str, ...]) -> None:
    for uri in uris:
        await assert_nobody_is_sent(rig, uri)
    assert rows(rig) == NOTHING


@pytest.mark.parametrize("uris", NO_LOOPBACK.values(), ids=NO_LOOPBACK)
async def test_only_the_port_of_a_loopback_uri_is_free(rig: Rig, uris: tuple[str, ...]) -> None:
    for uri in uris:
        await assert_nobody_is_sent(rig, uri, "P1")
    assert rows(rig) == NOTHING


async def test_b29_two_redirect_uris_are_none(rig: Rig) -> None:
    good, evil = f"&redirect_uri={quote(EX_URI, safe='')}", "&redirect_uri=https://evil.test/"
    for pair in (good + evil, evil + good):
        assert_page(await rig.send("GET", target(rig, pair, redirect_uri=None)), Reason.PARAMETER_REPEATED)
    assert rows(rig) == NOTHING


async def test_b30_a_uri_of_eight_kibibytes_goes_nowhere(rig: Rig) -> None:
    """In a query the HTTP parser refuses it, in a form it is read and shown."""
    long = EX_URI + "/" + "x" * 8_192
    assert_page(
        await rig.browser().send("POST", "/alexa/authorize", rig.authorization(redirect_uri=long)),
        Reason.REDIRECT_URI_NOT_REGISTERED,
    )
    answer = await ask(rig, request(f"GET {target(rig, redirect_uri=long)}"))
    assert (answer.status, "Location" in answer.headers, rows(rig)) == (400, False, NOTHING)


@pytest.mark.parametrize("client_id", ["B33-C1", "B33-C2", "B33-P1"])
@pytest.mark.parametrize("uri", [None, ""])
async def test_no_redirect_uri_is_guessed_even_where_one_alone_is_registered(rig: Rig, client_id: str, uri: str | None) -> None:
    answer = await rig.send("GET", target(rig, client_id=client_id[4:], redirect_uri=uri))
    assert_page(answer, Reason.PARAMETER_MISSING)
    assert rows(rig) == NOTHING


@pytest.mark.parametrize("port", ["B36-53123", "B36-65535", "B36-1", "B36-"])
async def test_a_native_application_returns_to_the_port_that_it_has(rig: Rig, port: str) -> None:
    uri = f"http://127.0.0.1{port[3:].replace('-', ':').removesuffix(':')}/cb"
    browser = rig.browser()
    code = assert_code(await browser.approve(await browser.authorize("P1", redirect_uri=uri)), uri=uri)
    other = await rig.redeem(code, "P1", redirect_uri="http://127.0.0.1:2/cb")
    assert (other.status, other.json["error"]) == (400, "invalid_grant")
    assert (await rig.redeem(code, "P1", redirect_uri=uri)).status == 200


async def test_b38_a_confidential_client_is_no_native_application(rig: Rig) -> None:
    define_clients(rig, {"C1": {**CLIENTS["C1"], "redirect_uris": ["http://127.0.0.1/cb", "http://localhost:8080/cb"]}})
    for uri in ("http://127.0.0.1:53123/cb", "http://127.0.0.1:80/cb", "http://localhost/cb", "http://localhost:8081/cb"):
        assert_page(await rig.browser().authorize(redirect_uri=uri), Reason.REDIRECT_URI_NOT_REGISTERED)
    for uri in ("http://127.0.0.1/cb", "http://localhost:8080/cb"):
        assert_consent(await rig.browser().authorize(redirect_uri=uri))


@pytest.mark.parametrize("host", ["B39-pitangui.amazon.com", "B39-layla.amazon.com", "B39-alexa.amazon.co.jp"])
async def test_alexa_is_known_at_each_of_its_hosts_by_the_vendor_id(start: StartRig, host: str) -> None:
    rig = await start(vendor_ids=ALEXA_VENDOR)
    path = f"https://{host[4:]}/api/skill/link/"
    browser = rig.browser()
    assert_code(
        await browser.approve(await browser.authorize("amazon-alexa", redirect_uri=path + ALEXA_VENDOR)), uri=path + ALEXA_VENDOR
    )
    for wrong in ("M2BBBBBBBBBBBB", ALEXA_VENDOR.lower(), ALEXA_VENDOR + "A", ALEXA_VENDOR[:-1], "", "../" + ALEXA_VENDOR):
        answer = await rig.browser().authorize("amazon-alexa", redirect_uri=path + wrong)
        assert_page(answer, Reason.REDIRECT_URI_NOT_REGISTERED)
        assert "vendor id" in answer.text


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        pytest.param("https://ex.test/cb#x", "fragment", id="B40-fragment"),
        pytest.param("https://ex.test/*", "wildcard", id="B40-wildcard"),
        pytest.param("https://*.ex.test/cb", "wildcard", id="B40-wildcard-host"),
        pytest.param("https://user@ex.test/cb", "names a user", id="B40-userinfo"),
        pytest.param("http://ex.test/cb", "is not https", id="B40-no-tls"),
        pytest.param("http://127.0.0.1.evil.test/cb", "is not https", id="B40-nearly-loopback"),
        pytest.param("http://localhost.evil.test/cb", "is not https", id="B40-nearly-localhost"),
        pytest.param("javascript:alert(1)", "not an absolute URI", id="B40-script"),
        pytest.param("com.example.app:/cb", "not an absolute URI", id="B40-private-scheme"),
        pytest.param("//ex.test/cb", "not an absolute URI", id="B40-relative"),
        pytest.param("https://ex.test/c b", "not an absolute URI", id="B40-blank"),
        pytest.param("https://ex.test/cb\r\nX: y", "not an absolute URI", id="B40-line-break"),
        pytest.param("https://\u0435x.test/cb", "not an absolute URI", id="B40-homoglyph"),
        pytest.param("https://ex.test:99999/cb", "impossible host or port", id="B40-port"),
        pytest.param("https:///cb", "not an absolute URI", id="B40-no-host"),
    ],
)  # fmt: skip
async def test_what_no_client_should_register_is_refused_in_words(rig: Rig, uri: str, why: str) -> None:
    """While running, all clients stay as they were; at a start it is a fault of the start."""
    (fault,) = define_clients(rig, {"C1": {**CLIENTS["C1"], "redirect_uris": [EX_URI, uri]}})
    assert 'client "C1", key "redirect_uris"' in fault
    assert why in fault
    assert_page(await rig.browser().authorize(redirect_uri=uri), Reason.REDIRECT_URI_NOT_REGISTERED)
    assert_consent(await rig.browser().authorize("C2"))
    with pytest.raises(ClientsFileRefused, match=why):
        ClientDefinitions(rig.server.settings)


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("https://EX.test:443/%7Ecb/../%63b", id="B41-not-in-normal-form"),
        pytest.param("https://ex.test", id="B41-no-path"),
        pytest.param("https://ex.test/a(b)'c;d,e=f!$", id="B41-delimiters"),
        pytest.param("https://ex.test/cb?a=1", id="B42-query"),
        pytest.param("https://ex.test/cb?a=%2F&b=c+d&a=2&e", id="B42-query-not-in-normal-form"),
        pytest.param("https://ex.test/cb?", id="B42-empty-query"),
    ],
)
async def test_the_registered_string_comes_back_byte_for_byte(rig: Rig, uri: str) -> None:
    define_clients(rig, {"C1": {**CLIENTS["C1"], "redirect_uris": [uri]}})
    browser = rig.browser()
    answer = await browser.approve(await browser.authorize(redirect_uri=uri))
    joint = "&" if "?" in uri else "?"
    assert answer.location.startswith(f"{uri}{joint}code=")
    assert (await rig.redeem(assert_code(answer, uri=uri), redirect_uri=uri)).status == 200
    assert_sent_back(await browser.authorize(redirect_uri=uri, scope="admin"), "invalid_scope", uri=uri)


async def test_b43_whoever_approves_later_is_still_not_sent_to_the_refused_uri(rig: Rig) -> None:
    """The page names client, URI and reference, so that the operator finds the attempt; the URI is text."""
    evil = "https://evil.test/\"><script>alert('x')</script>"
    browser = rig.browser()
    refused = await browser.authorize(redirect_uri=evil)
    assert_page(refused, Reason.REDIRECT_URI_NOT_REGISTERED)
    (event,) = await rig.audit()
    assert (event.reason, event.client_id) == (Reason.REDIRECT_URI_NOT_REGISTERED, "C1")
    assert f"Reference <code>{event.attempt}</code>" in refused.text
    assert "<code><bdi>C1</bdi></code>" in refused.text
    assert "&gt;&lt;script&gt;" in refused.text
    assert "<script" not in refused.text
    approved = await browser.approve(await browser.authorize(), redirect_uri=evil)
    assert_code(approved)
    assert "evil" not in approved.location


async def test_a_redirect_uri_that_is_struck_off_while_the_page_is_open_gets_neither_code_nor_refusal(rig: Rig) -> None:
    """The operator has just found out that it is not theirs."""
    approving, denying = rig.browser(), rig.browser()
    pages = await approving.authorize(), await denying.authorize()
    define_clients(rig, {**CLIENTS, "C1": {**CLIENTS["C1"], "redirect_uris": ["https://ex.test/other"]}})
    for answer in (await approving.approve(pages[0]), await denying.approve(pages[1], decision="deny")):
        assert (answer.status, "Location" in answer.headers) == (400, False)
    assert rows(rig)["codes"] == 0
