"""The examples for programs that cannot be run here, read as those read them. tests/proxy/ runs the others."""

import configparser
import json
import posixpath
import re
from collections.abc import Callable
from typing import Any, Final

import pytest

from alexa_oauth.cli.context import NO_RESTART
from alexa_oauth.settings.loading import load
from tests.addon.files import read_text, read_yaml

PASSED: Final = ("/alexa/authorize", "/alexa/token", "/health")
METADATA: Final = "/.well-known/oauth-authorization-server"
KEPT: Final = (
    "/metrics",
    "/open/x",
    "/alexandria/token",
    "/x/alexa/token",
    "/healthy",
    "/.well-known/security.txt",
    "/api/",
)
SERVER: Final = "http://127.0.0.1:8096"


def traefik(path: str) -> str | None:
    """The URL to which Traefik passes a path of music.example.org on."""
    routing = read_yaml("examples/traefik.yaml")["http"]
    router = routing["routers"]["alexa-oauth"]
    rule = router["rule"]
    assert rule.startswith("Host(`music.example.org`) && (")
    passed = any(path.startswith(prefix) for prefix in re.findall(r"PathPrefix\(`([^`]+)`\)", rule))
    passed |= path in re.findall(r"\bPath\(`([^`]+)`\)", rule)
    (server,) = routing["services"][router["service"]]["loadBalancer"]["servers"]
    return server["url"] + path if passed else None


def cloudflared(path: str) -> str | None:
    """The same for cloudflared: the first rule that matches is followed, and the last must match everything."""
    rules = read_yaml("examples/cloudflare-tunnel.yaml")["ingress"]
    assert set(rules[-1]) == {"service"}
    assert {rule["hostname"] for rule in rules[:-1]} == {"music.example.org"}
    service = next(rule["service"] for rule in rules if re.search(rule.get("path", ""), path))
    return None if service == "http_status:404" else service + path


def tailscale(path: str) -> str | None:
    """The same for Tailscale: the longest mount point is followed, and replaced by the path of its target."""
    (site,) = json.loads(read_text("examples/tailscale-funnel.json"))["Web"].values()
    handlers: dict[str, dict[str, str]] = site["Handlers"]
    here = path
    while here not in handlers and f"{here}/" not in handlers:
        if here == "/":
            return None
        here = posixpath.dirname(here)
    mount = f"{here}/" if f"{here}/" in handlers else here
    return handlers[mount]["Proxy"].rstrip("/") + path.removeprefix(mount.rstrip("/"))


RUN_ELSEWHERE: Final[list[Callable[[str], str | None]]] = [traefik, cloudflared, tailscale]


@pytest.mark.parametrize("proxy", RUN_ELSEWHERE)
def test_linking_and_health_are_passed_on_and_nothing_else(proxy: Callable[[str], str | None]) -> None:
    assert {path: proxy(path) for path in PASSED} == {path: SERVER + path for path in PASSED}
    assert {path: proxy(path) for path in KEPT} == dict.fromkeys(KEPT)
    assert proxy(METADATA) in {None, SERVER + METADATA}
    bare = None if proxy is tailscale else f"{SERVER}/"
    assert proxy("/") == bare, "a small page, which Funnel cannot pass on alone"


def test_funnel_is_open_to_the_internet_on_the_one_port_that_alexa_accepts() -> None:
    funnel = json.loads(read_text("examples/tailscale-funnel.json"))
    assert funnel["TCP"] == {"443": {"HTTPS": True}}
    assert list(funnel["Web"]) == list(funnel["AllowFunnel"]) == ["${TS_CERT_DOMAIN}:443"]
    assert all(funnel["AllowFunnel"].values())


def test_traefik_drops_what_callers_say_of_themselves_before_it_asks_and_their_token_after() -> None:
    routing: dict[str, Any] = read_yaml("examples/traefik.yaml")["http"]
    first, guard, last = (routing["middlewares"][name] for name in routing["routers"]["music-assistant"]["middlewares"])
    identity = guard["forwardAuth"]["authResponseHeaders"]
    assert identity == ["X-OAuth-Subject", "X-OAuth-Client", "X-OAuth-Scope"]
    assert first["headers"]["customRequestHeaders"] == dict.fromkeys(identity, "")
    assert guard["forwardAuth"]["address"] == f"{SERVER}/alexa/verify?scope=music.control"
    assert last["headers"]["customRequestHeaders"] == {"Authorization": ""}


def test_caddy_drops_what_callers_say_of_themselves_before_it_asks() -> None:
    """Debian's Caddy overwrites it anyway; newer ones let it stand where the guard's answer says nothing."""
    first, _, _ = read_text("examples/Caddyfile").partition("forward_auth")
    assert re.findall(r"^\t\trequest_header -(.+)$", first, re.MULTILINE) == ["X-OAuth-*", "X_OAuth_*"]


def test_the_cloudflared_app_names_the_port_of_this_one() -> None:
    (host,) = read_yaml("examples/cloudflared-app.yaml")["additional_hosts"]
    assert host == {"hostname": "music.example.org", "service": "http://1a2b3c4d-alexa-oauth:8096"}


def test_systemd_starts_it_again_unless_that_cannot_help() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # systemd minds the case of a name
    unit.read_string(read_text("examples/alexa-oauth.service"))
    service = unit["Service"]
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", str(NO_RESTART))
    assert service["ExecStart"].rpartition("/")[2] == "run.sh"
    settings = dict(re.findall(r"^Environment=(\w+)=(.+)$", read_text("examples/alexa-oauth.service"), re.MULTILINE))
    loaded = load(settings, {})
    assert (loaded.settings.public_url, loaded.warnings) == ("https://music.example.org", ())
