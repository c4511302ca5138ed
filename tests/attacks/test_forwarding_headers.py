"""What a caller says of its own address, and whom the server believes (RFC 7239 §8.1)."""

import pytest

from alexa_oauth.protocol.events import EventName
from alexa_oauth.web.caller import FORWARDING_HEADERS
from tests.attacks.verdict import assert_code, assert_consent, assert_json, begun, define_clients, target
from tests.attacks.wire import ask, request
from tests.conftest import StartRig
from tests.rig import CLIENTS, Rig

HERE = "127.0.0.1"
REAL = "198.51.100.7"
EVIL = "203.0.113.66"
PROXIES = "127.0.0.1, 10.0.0.0/8, 2001:db8:aaaa::/48"
INGRESS = {
    "X-Ingress-Path": "/api/hassio_ingress/x",
    "X-Remote-User-Id": "0123456789abcdef",
    "X-Remote-User-Name": "admin",
    "X-Remote-User-Display-Name": "Admin",
    "X-Hass-Is-Admin": "1",
    "X-Hassio-Key": "x",
    "Remote-User": "admin",
}

CHAINS: dict[str, tuple[str, str]] = {
    "L22-one-hop": (REAL, REAL),
    "L22-forged-before-it": (f"{EVIL}, {REAL}", REAL),
    "L22-forged-as-trusted": (f"10.0.0.1, {REAL}", REAL),
    "L22-forged-as-loopback": (f"127.0.0.1, {REAL}", REAL),
    "L22-trusted-behind-it": (f"{EVIL}, {REAL}, 10.0.0.1", REAL),
    "L22-two-trusted-behind-it": (f"{EVIL},{REAL},10.0.0.1,10.255.255.255", REAL),
    "L22-port": (f"{EVIL}, {REAL}:54321", REAL),
    "L22-ipv6": (f"{EVIL}, 2001:db8::7", "2001:db8::7"),
    "L22-ipv6-in-brackets": (f"{EVIL}, [2001:db8::7]", "2001:db8::7"),
    "L22-ipv6-with-port": (f"{EVIL}, [2001:db8::7]:54321", "2001:db8::7"),
    "L22-ipv6-trusted": (f"{REAL}, [2001:db8:aaaa::1]:443", REAL),
    "L22-ipv4-mapped": (f"{EVIL}, ::ffff:{REAL}", REAL),
    "L22-ipv4-mapped-trusted": (f"{EVIL}, {REAL}, ::ffff:10.0.0.1", REAL),
    "L22-ipv4-mapped-in-brackets": (f"{REAL}, [::ffff:10.0.0.1]:443", REAL),
    "L22-ipv6-zone": ("fe80::7%eth0", "fe80::7"),
    "L22-ipv6-zone-that-is-none": (f"fe80::7%{'<script>' * 400}", "fe80::7"),
    "L22-all-trusted": ("10.0.0.9, 10.0.0.1", "10.0.0.9"),
    "L22-blanks": (f" {EVIL} ,\t{REAL}\t", REAL),
    "L22-empty": ("", HERE),
    "L22-empty-at-the-end": (f"{EVIL}, ", HERE),
    "L22-unknown": (f"{EVIL}, unknown", HERE),
    "L22-markup-behind-a-proxy": (f"<script>, {REAL}", REAL),
    "L22-no-address": ("999.1.1.1", HERE),
    "L22-octal": ("010.0.0.1", HERE),
    "L22-network": ("10.0.0.0/8", HERE),
    "L22-injection": (f"{EVIL}, 198.51.100.7;DROP", HERE),
    "L22-arabic-digits": ("\u0661.\u0661.\u0661.\u0661", HERE),
    "L22-long": ("1" * 4_000, HERE),
}


def wrong() -> dict[str, str | None]:
    return {"grant_type": "refresh_token", "refresh_token": "x", "client_id": "C1", "client_secret": "wrong"}


async def address_of(rig: Rig, headers: dict[str, str]) -> str | None:
    """Where an authorization request came from, by the audit trail."""
    assert_consent(await rig.send("GET", target(rig), headers=headers))
    return (await rig.audit(EventName.AUTHORIZE_REQUEST))[0].address


@pytest.mark.parametrize(
    "name", ["L21-X-Forwarded-For", "L21-Forwarded", "L21-CF-Connecting-IP", "L21-X-Real-IP", "L21-Client-IP"]
)
async def test_a_stranger_cannot_choose_its_address(rig: Rig, name: str) -> None:
    for value in (EVIL, f"for={EVIL}", "127.0.0.1", "", f"{EVIL}, {HERE}"):
        assert await address_of(rig, {name[4:]: value}) == HERE


@pytest.mark.parametrize(("chain", "address"), CHAINS.values(), ids=CHAINS)
async def test_behind_a_trusted_proxy_the_rightmost_stranger_counts(start: StartRig, chain: str, address: str) -> None:
    rig = await start(trusted_proxies=PROXIES)
    assert await address_of(rig, {"X-Forwarded-For": chain}) == address


async def test_l22_a_trusted_proxy_is_believed_in_one_header_alone(start: StartRig) -> None:
    rig = await start(trusted_proxies=PROXIES)
    others = {"Forwarded": f"for={EVIL}", "CF-Connecting-IP": EVIL, "X-Real-IP": EVIL, "True-Client-IP": EVIL}
    assert await address_of(rig, {**others, "X-Forwarded-For": REAL}) == REAL
    assert await address_of(rig, others) == HERE


async def test_l22_two_fields_are_one_list(start: StartRig) -> None:
    """A proxy may append a field of its own instead of a hop."""
    rig = await start(trusted_proxies=PROXIES)
    two = f"X-Forwarded-For: {EVIL}\r\nX-Forwarded-For"
    assert_consent(await ask(rig, request(f"GET {target(rig)}", {two: REAL})))
    assert (await rig.audit(EventName.AUTHORIZE_REQUEST))[0].address == REAL


async def test_l21_strangers_who_differ_in_what_they_claim_are_limited_as_one(start: StartRig) -> None:
    """Behind the trusted proxy each address has its own ten failures, however many it claims to be."""
    rig = await start(trusted_proxies=PROXIES)
    statuses = []
    for number in range(12):
        headers = {"X-Forwarded-For": f"192.0.2.{number}, {EVIL}"}
        statuses.append((await rig.post("/alexa/token", None, wrong(), **headers)).status)
    assert statuses == [401] * 10 + [429] * 2
    assert_json(await rig.post("/alexa/token", None, wrong(), X_Forwarded_For=REAL), 401, "invalid_client")


@pytest.mark.parametrize("name", FORWARDING_HEADERS)
async def test_l21_behind_a_proxy_that_nobody_named_no_address_is_limited(rig: Rig, name: str) -> None:
    """All callers look like the proxy then: ten failures of one would cut off everybody."""
    answers = [await rig.post("/alexa/token", None, wrong(), **{name: EVIL}) for _ in range(12)]
    assert [answer.status for answer in answers] == [401] * 12


@pytest.mark.parametrize("name", [*FORWARDING_HEADERS, "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "via", "CF-Ray"])
async def test_l21_who_comes_through_a_proxy_is_not_at_this_machine(start: StartRig, name: str) -> None:
    """The self-test approves without a person, but only on the machine itself: a proxy must not lend its address to all."""
    rig = await start(self_test="true")
    client = {**CLIENTS["P1"], "redirect_uris": ["http://127.0.0.1/cb"], "auto_approve": True}
    define_clients(rig, {"P1": client})
    assert (await rig.send("GET", target(rig, client_id="P1"))).status == 302
    assert_consent(await rig.send("GET", target(rig, client_id="P1"), headers={name: HERE}))


@pytest.mark.parametrize(
    ("self_test", "uris"), [("false", ("http://127.0.0.1/cb",)), ("true", ("http://127.0.0.1/cb", "https://native.test/cb"))]
)
async def test_l21_the_self_test_is_off_by_itself_and_returns_to_this_machine_alone(
    start: StartRig, monkeypatch: pytest.MonkeyPatch, self_test: str, uris: tuple[str, ...]
) -> None:
    """The file of clients may not say otherwise; if it could, a person would be asked all the same."""
    monkeypatch.setattr("alexa_oauth.clients.entry.is_loopback", lambda _: True)
    rig = await start(self_test=self_test)
    assert define_clients(rig, {"P1": {**CLIENTS["P1"], "redirect_uris": list(uris), "auto_approve": True}}) == ()
    for uri in uris:
        assert_consent(await rig.send("GET", target(rig, client_id="P1", redirect_uri=uri)))


async def test_l23_ingress_headers_from_elsewhere_prove_nothing(start: StartRig) -> None:
    rig = await start(sign_in="pairing_code")
    browser, page = await begun(rig)
    refused = await browser.send("POST", "/alexa/approve", {**page.hidden, "decision": "approve"}, **INGRESS)
    assert_consent(refused)
    assert "No code was entered" in refused.text
    tokens = await rig.redeem(assert_code(await browser.approve(page)))
    assert (await rig.introspect(tokens.json["access_token"])).json["sub"] == "local"
    for path in ("/", "/open/x", "/panel", "/metrics", "/admin"):
        answer = await rig.send("GET", path, headers=INGRESS)
        assert answer.status == (200 if path == "/" else 404)
        assert "commands" not in answer.text
