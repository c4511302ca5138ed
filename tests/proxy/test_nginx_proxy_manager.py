"""Nginx Proxy Manager, which is nginx below: its own part of a proxy host's site, with our example where it puts such text."""

import asyncio
import re

import pytest

from tests.proxy.conftest import Home
from tests.proxy.proxies import HOME, Nginx, fill
from tests.proxy.visitor import ELSEWHERE


class NginxProxyManager(Nginx):
    """The site that it writes for a proxy host with TLS, cut down to what takes part in routing."""

    def command(self) -> tuple[str, ...]:
        """It keeps its own `location /` back if the text that it is given has one."""
        ours = fill("nginx-proxy-manager.conf", {})
        its_own = "" if re.search(r"^(?:.*;)?\s*?location\s*?/\s*?{", ours, re.IGNORECASE | re.MULTILINE) else _EVERYTHING
        site = self.site
        server = f"""
server {{
listen 127.0.0.1:{site.port} ssl;
server_name {HOME};
ssl_certificate {site.certificate};
ssl_certificate_key {site.key};
set $forward_scheme http;
set $server "127.0.0.1";
set $port {site.oauth};
{ours}
{its_own}
}}
"""
        temporary = "".join(f"{kind}_temp_path {kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = f"daemon off;\nmaster_process off;\npid pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}\n}}\n"
        (self.folder / "main.conf").write_text(main, "utf-8")
        included = self.folder / "conf.d/include/proxy.conf"
        included.parent.mkdir(parents=True)
        included.write_text(_PASS_ON, "utf-8")
        return "-p", f"{self.folder}/", "-c", "main.conf", "-e", "stderr"


_EVERYTHING = "location / { include conf.d/include/proxy.conf; }"
_PASS_ON = """
proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Real-IP $remote_addr;
proxy_pass $forward_scheme://$server:$port$request_uri;
"""


pytestmark = [
    pytest.mark.proxy,
    pytest.mark.parametrize("start", [NginxProxyManager], indirect=True, ids=["nginx-proxy-manager"]),
]


async def test_a_link_and_nothing_beside_it(home: Home) -> None:
    visitor = await home.visitor()
    answer = await visitor.approved(await asyncio.to_thread(home.server.pairing_code))
    assert (await visitor.redeemed(answer.returned["code"]))["token_type"] == "Bearer"
    assert (await visitor.send("/health")).json["status"] == "ok"
    assert "text/html" in (await visitor.send("/")).headers["Content-Type"], "else the doctor would find fault with it"
    paths = ("/metrics", "/open/x", "/alexandria", "/health/", "/.well-known/oauth-authorization-server")
    assert {path: (await visitor.send(path)).status for path in paths} == dict.fromkeys(paths, 404)


async def test_the_caller_is_who_reached_the_proxy_whatever_it_claims(home: Home) -> None:
    page = await (await home.visitor()).begin(headers={"X-Forwarded-For": "203.0.113.5"})
    assert page.status == 200
    assert (await home.audit("authorize.request"))[-1]["address"] == ELSEWHERE
