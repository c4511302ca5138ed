"""The doctor before a real nginx that is set up wrongly in one way at a time: it names that one, and no other."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from alexa_oauth.diagnosis.causes import CATALOGUE
from alexa_oauth.diagnosis.findings import Finding, Verdict
from alexa_oauth.protocol.events import EventName, Reason
from tests.diagnosis.households import (
    IPV4,
    IPV6,
    WELL,
    Household,
    Papers,
    World,
    of_a_private_authority,
    relay,
    self_signed,
)
from tests.diagnosis.story import Story
from tests.proxy.proxies import HOME
from tests.rig import NOW, running
from tests.running_server import free_ports

pytestmark = pytest.mark.proxy


def faults(findings: tuple[Finding, ...]) -> Mapping[str, Verdict]:
    """What is not well, by cause."""
    return {finding.cause.cause_id: finding.verdict for finding in findings if finding.gravity >= 2}


def of(findings: tuple[Finding, ...], cause_id: str) -> Finding:
    return next(finding for finding in findings if finding.cause.cause_id == cause_id)


async def test_a_household_that_is_set_up_well_has_no_fault(household: Household) -> None:
    world = await household.behind()
    findings = await household.examined(world)
    assert faults(findings) == {}
    assert [finding.cause.cause_id for finding in findings] == [*CATALOGUE]
    seen_outside = ("certificate_incomplete", "tls_12_refused", "bot_filter", "two_servers", "state_changed", "clock_wrong")
    assert {of(findings, cause).verdict for cause in seen_outside} == {Verdict.PASS}


async def test_the_doctors_calls_are_no_failures_of_anyone(household: Household) -> None:
    world = await household.behind()
    for _ in range(12):
        assert faults(await household.examined(world)) == {}
    assert await household.rig.audit() == []
    assert {destination.name for destination in world.called} == {HOME}


BOTS: Final = 'if ($http_user_agent ~ "Java") { return 403; }'
WWW: Final = f"return 301 https://www.{HOME}$request_uri;"
PORTAL: Final = "return 302 https://auth.example.org/?rd=https://$host$request_uri;"
CHALLENGE: Final = 'default_type text/html; return 403 "<title>Just a moment...</title>";'
BASIC: Final = 'auth_basic "Home"; auth_basic_user_file /dev/null;'
SMALL: Final = "client_header_buffer_size 1k; large_client_header_buffers 2 1k;"
POLICY: Final = "add_header Content-Security-Policy \"form-action 'self'\" always;"
CORS: Final = "if ($http_origin) { return 500; }"


@pytest.mark.parametrize(
    ("directives", "location", "cause_id", "verdict"),
    [
        ("ssl_protocols TLSv1.3;", "", "tls_12_refused", Verdict.FAIL),
        (WWW, "", "post_redirected", Verdict.FAIL),
        ("return 301 https://auth.example.org$request_uri;", "", "post_redirected", Verdict.FAIL),
        ("rewrite ^([^.]*[^/])$ $1/ permanent;", "", "post_redirected", Verdict.FAIL),
        (BOTS, "", "bot_filter", Verdict.FAIL),
        (CHALLENGE, "", "bot_filter", Verdict.FAIL),
        (PORTAL, "", "access_wall", Verdict.FAIL),
        (BASIC, "", "access_wall", Verdict.FAIL),
        ("deny all;", "", "access_wall", Verdict.FAIL),
        ("", "root html;", "another_server", Verdict.FAIL),
        (SMALL, "", "state_changed", Verdict.FAIL),
        (POLICY, "", "page_policy", Verdict.FAIL),
        (CORS, "", "foreign_origin_fault", Verdict.FAIL),
    ],
    ids=[
        "tls13",
        "www",
        "moved",
        "slash",
        "java",
        "challenge",
        "portal",
        "password",
        "deny",
        "wrong_site",
        "long",
        "policy",
        "cors",
    ],
)
async def test_a_proxy_that_is_set_up_wrongly(
    household: Household, directives: str, location: str, cause_id: str, verdict: Verdict
) -> None:
    findings = await household.examined(await household.behind(directives, location))
    assert faults(findings) == {cause_id: verdict}
    assert of(findings, cause_id).fix


async def test_a_form_that_the_proxy_drops(household: Household) -> None:
    location = f'proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_pass http://127.0.0.1:{household.port};'
    findings = await household.examined(await household.behind(location=location))
    assert faults(findings) == {"post_changed": Verdict.FAIL}
    assert "grant_type" in of(findings, "post_changed").sentence


async def test_a_path_that_the_proxy_cuts(household: Household) -> None:
    """`proxy_pass` with a slash at its end takes the location's own part away. The console may be right for all that."""
    directives = f"location /alexa/ {{ proxy_pass http://127.0.0.1:{household.port}/; }}"
    missed = Story().tell(EventName.REQUEST_MISDIRECTED, Reason.PATH_UNKNOWN).read()
    findings = await household.examined(await household.behind(directives), replace(WELL, attempts=(missed,), now=NOW + 9))
    assert faults(findings) == {"post_changed": Verdict.FAIL}
    assert "The path or the method does not arrive" in of(findings, "post_changed").sentence


async def test_a_server_that_is_down_behind_its_proxy(household: Household) -> None:
    _, closed = free_ports()
    findings = await household.examined(await household.behind(oauth=closed))
    assert faults(findings) == {"proxy_fails": Verdict.FAIL}
    assert "502" in of(findings, "proxy_fails").sentence


@pytest.mark.parametrize(("location", "found"), [("root html;", {}), ("return 404;", {"root_not_a_page": Verdict.WARN})])
async def test_only_the_needed_paths_are_proxied(household: Household, location: str, found: Mapping[str, Verdict]) -> None:
    ours = f"location ~ ^/(alexa/|health) {{ proxy_pass http://127.0.0.1:{household.port}; }}"
    assert faults(await household.examined(await household.behind(ours, location))) == found


async def test_a_header_that_stops_the_way_back_is_seen_where_only_the_needed_paths_are_proxied(household: Household) -> None:
    """As the examples have it: nothing of this server's is shown at the bare address, to judge headers by."""
    ours = f"location ~ ^/(alexa/|health) {{ {POLICY} proxy_pass http://127.0.0.1:{household.port}; }}"
    findings = await household.examined(await household.behind(ours, "return 404;"))
    assert faults(findings) == {"page_policy": Verdict.FAIL, "root_not_a_page": Verdict.WARN}


async def test_a_server_that_cannot_start_is_told_once(household: Household) -> None:
    """The process is away and its proxy finds nothing, all for one line of a file."""
    _, closed = free_ports()
    broken = replace(WELL, checks=None, clients_faults=("oauth_clients.json, line 3, column 1: is not JSON",))
    findings = await household.examined(await household.behind(oauth=closed), broken)
    assert faults(findings) == {"clients_file_broken": Verdict.FAIL}
    away = await household.examined(World({}, {}, b""), replace(WELL, checks=None))
    assert faults(away) == {"server_down": Verdict.FAIL, "name_not_found": Verdict.FAIL}


async def test_another_installation_answers(household: Household, tmp_path: Path) -> None:
    async with running(tmp_path / "older", {"trusted_proxies": "127.0.0.1"}) as older:
        world = await household.behind(oauth=int(older.origin.rpartition(":")[2]))
        assert faults(await household.examined(world)) == {"two_servers": Verdict.FAIL}


async def test_a_certificate_that_has_expired(household: Household) -> None:
    findings = await household.examined(await household.behind(papers=household.authority.papers(ends_in_days=-3)))
    assert faults(findings) == {"certificate_expired": Verdict.FAIL}


async def test_a_certificate_that_nobody_renews(household: Household) -> None:
    findings = await household.examined(await household.behind(papers=household.authority.papers(ends_in_days=9.5)))
    assert faults(findings) == {"certificate_expired": Verdict.WARN}
    assert "9 days" in of(findings, "certificate_expired").sentence


async def test_a_certificate_without_its_intermediate_one(household: Household) -> None:
    findings = await household.examined(await household.behind(papers=household.authority.papers(whole=False)))
    assert faults(findings) == {"certificate_incomplete": Verdict.FAIL}


@pytest.mark.parametrize("papers", [self_signed, of_a_private_authority])
async def test_a_certificate_that_nobody_vouches_for(household: Household, papers: Callable[[], Papers]) -> None:
    assert faults(await household.examined(await household.behind(papers=papers()))) == {"certificate_untrusted": Verdict.FAIL}


async def test_a_certificate_for_another_name(household: Household) -> None:
    findings = await household.examined(await household.behind(papers=household.authority.papers("other.example.org")))
    assert faults(findings) == {"certificate_name": Verdict.FAIL}


async def test_several_things_at_once_are_all_told(household: Household) -> None:
    world = await household.behind(
        "ssl_protocols TLSv1.3;" + WWW, papers=household.authority.papers("other.test", ends_in_days=-1, whole=False)
    )
    assert faults(await household.examined(world)) == {
        "tls_12_refused": Verdict.FAIL,
        "certificate_incomplete": Verdict.FAIL,
        "certificate_expired": Verdict.FAIL,
        "certificate_name": Verdict.FAIL,
        "post_redirected": Verdict.FAIL,
    }


async def test_plain_http_on_the_port_of_https(household: Household) -> None:
    findings = await household.examined(await household.behind(listen=""))
    assert faults(findings) == {"tls_fails": Verdict.FAIL}


async def test_an_answer_that_takes_too_long(household: Household) -> None:
    async with relay(household.port, 0.3) as slow:
        world = await household.behind(oauth=slow)
        hurried = World(world.names, world.ports, world.trusted, hurry=20)
        findings = await household.examined(hurried)
    assert faults(findings) == {"answer_slow": Verdict.FAIL}


async def test_an_answer_that_never_comes(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alexa_oauth.diagnosis.outside.DEADLINE_SECONDS", 1)
    async with relay(household.port, 60) as silent:
        findings = await household.examined(await household.behind(oauth=silent))
    assert faults(findings) == {"answer_slow": Verdict.FAIL}
    assert "no answer within 1 seconds" in of(findings, "answer_slow").sentence


async def test_ipv6_that_is_dead(household: Household) -> None:
    world = await household.behind()
    both = World({HOME: [IPV4, IPV6]}, world.ports, world.trusted)
    assert faults(await household.examined(both)) == {"ipv6_dead": Verdict.FAIL}
    alive = World({HOME: [IPV4, IPV6]}, {IPV4: world.ports[IPV4], IPV6: world.ports[IPV4]}, world.trusted)
    assert faults(await household.examined(alive)) == {}


async def test_ipv6_that_leads_to_another_machine(household: Household) -> None:
    """As an AAAA record does that names the router: a connection opens, and nothing behind it is ours."""
    world = await household.behind()
    both = World({HOME: [IPV4, IPV6]}, {IPV4: world.ports[IPV4], IPV6: household.port}, world.trusted)
    findings = await household.examined(both)
    assert faults(findings) == {"ipv6_dead": Verdict.FAIL}
    assert "Over IPv6" in of(findings, "ipv6_dead").sentence


async def test_a_port_on_which_nothing_listens(household: Household) -> None:
    _, closed = free_ports()
    assert faults(await household.examined(World({HOME: [IPV4]}, {IPV4: closed}, b""))) == {"port_closed": Verdict.FAIL}


async def test_a_name_that_nobody_knows(household: Household) -> None:
    findings = await household.examined(World({}, {}, b""))
    assert faults(findings) == {"name_not_found": Verdict.FAIL}
    assert of(findings, "certificate_expired").verdict is Verdict.NOT_TESTABLE


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("192.168.1.5", "private"),
        ("10.0.0.2", "private"),
        ("100.101.102.103", "CGNAT"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("fd12:3456:789a::1", "unique local"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("::ffff:192.168.1.5", "private"),
    ],
)
async def test_a_name_that_leads_where_amazon_cannot_go(household: Household, address: str, kind: str) -> None:
    world = await household.behind()
    findings = await household.examined(World({HOME: [address]}, {address: world.ports[IPV4]}, world.trusted))
    assert faults(findings) == {"address_private": Verdict.FAIL}
    assert f"{address}, which is " in of(findings, "address_private").sentence
    assert kind in of(findings, "address_private").sentence


async def test_what_looks_otherwise_at_home_is_no_fault_while_alexa_gets_through(household: Household) -> None:
    """A router that lets nobody in from its own side, or a DNS at home that knows the short way."""
    world = await household.behind()
    at_home = World({HOME: ["192.168.1.5"]}, {"192.168.1.5": world.ports[IPV4]}, world.trusted)
    used = replace(WELL, alexa_came_at=1_000, now=1_000 + 86_399)
    assert faults(await household.examined(at_home, used)) == {"address_private": Verdict.WARN}
    assert faults(await household.examined(at_home, replace(used, now=1_000 + 86_400))) == {"address_private": Verdict.FAIL}
    closed = World({HOME: [IPV4]}, {IPV4: world.ports[IPV6]}, b"")
    assert faults(await household.examined(closed, used)) == {"port_closed": Verdict.WARN}


async def test_another_port(household: Household) -> None:
    world = await household.behind()
    inside = replace(WELL, public_url=f"https://{HOME}:8443")
    assert faults(await household.examined(world, inside)) == {"port_not_443": Verdict.WARN}


NEVER_CAME: Final = replace(WELL, attempts=(Story().asked().approved().passes(60).read(),), now=NOW + 65)


async def test_what_keeps_amazon_away_is_told_once_as_what_it_is(household: Household) -> None:
    """The attempt shows only that nobody came; the call shows why. Two faults would be told where there is one."""
    findings = await household.examined(await household.behind(BOTS), NEVER_CAME)
    assert faults(findings) == {"bot_filter": Verdict.FAIL}
    assert "explains it" in of(findings, "token_url_unreachable").sentence


async def test_if_all_is_well_when_called_from_here_the_search_goes_where_amazon_is_treated_otherwise(
    household: Household,
) -> None:
    findings = await household.examined(await household.behind(), NEVER_CAME)
    assert faults(findings) == {"token_url_unreachable": Verdict.FAIL}
    found = of(findings, "token_url_unreachable")
    assert "answers well when this server calls it" in found.sentence
    assert "a country rule" in found.fix
