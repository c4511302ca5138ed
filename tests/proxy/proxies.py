"""The real nginx and the real Caddy, with the files of `examples/` as users copy them."""

import asyncio
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
HOME: Final = "music.example.org"
PLAYER: Final = "player.example.org"
DEADLINE_SECONDS: Final = 20
POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Site:
    """What is behind the names of the examples: ports of this machine, and files in PEM."""

    port: int
    oauth: int
    player: int
    certificate: Path
    key: Path


class Proxy(ABC):
    """One program, started by a command of its own in a folder of its own. `behind_another` uncomments what is for that."""

    program: str

    def __init__(self, site: Site, folder: Path, *, behind_another: bool = False) -> None:
        self.site = site
        self.folder = folder
        self.behind_another = behind_another

    @abstractmethod
    def command(self) -> tuple[str, ...]:
        """Write what the program reads; the command that starts it."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start it, and end it by its process id."""
        path = shutil.which(self.program)
        assert path is not None, f"{self.program} is not installed"
        log = self.folder / "log"
        with log.open("wb") as printed:
            process = await asyncio.create_subprocess_exec(
                path, *self.command(), cwd=self.folder, env=self._environment(), stdout=printed, stderr=printed
            )
        try:
            await self._listening(process, log)
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await asyncio.wait_for(process.wait(), DEADLINE_SECONDS)

    async def _listening(self, process: asyncio.subprocess.Process, log: Path) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.site.port)
                except OSError:
                    await asyncio.sleep(POLL_SECONDS)
                else:
                    writer.close()
                    return
        raise AssertionError(log.read_text("utf-8"))

    def _environment(self) -> dict[str, str]:
        """It must keep its state, such as certificates, to its folder."""
        folders = dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(self.folder))
        return {"PATH": os.environ["PATH"], **folders}


class Nginx(Proxy):
    """Debian's nginx with both of its examples."""

    program = "nginx"

    def command(self) -> tuple[str, ...]:
        temporary = "".join(f"{kind}_temp_path {kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        sites = "\n".join(self._example(name) for name in ("nginx.conf", "nginx-guard.conf"))
        main = f"daemon off;\nmaster_process off;\npid pid;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{sites}\n}}\n"
        (self.folder / "main.conf").write_text(main, "utf-8")
        (self.folder / "html").mkdir()
        (self.folder / "html" / "index.html").write_text(
            "The page that Debian's nginx has for whatever nobody configured.", "utf-8"
        )
        return "-p", f"{self.folder}/", "-c", "main.conf", "-e", "stderr"

    def _example(self, name: str) -> str:
        site = self.site
        ours = PLAYER if "guard" in name else HOME
        return fill(
            name,
            {
                "listen 443 ssl": f"listen 127.0.0.1:{site.port} ssl",
                f"/etc/letsencrypt/live/{ours}/fullchain.pem": str(site.certificate),
                f"/etc/letsencrypt/live/{ours}/privkey.pem": str(site.key),
                "127.0.0.1:8096": f"127.0.0.1:{site.oauth}",
                **({"127.0.0.1:8095": f"127.0.0.1:{site.player}"} if ours == PLAYER else self._further_proxy()),
            },
        )

    def _further_proxy(self) -> dict[str, str]:
        setting = "proxy_set_header X-Forwarded-For"
        usual, other = f"{setting} $remote_addr;", f"{setting} $proxy_add_x_forwarded_for;"
        return {usual: "", f"# {other}": other} if self.behind_another else {}


class Caddy(Proxy):
    """Debian's Caddy with its example."""

    program = "caddy"

    def command(self) -> tuple[str, ...]:
        here = f"https_port {self.site.port}\ndefault_bind 127.0.0.1\nauto_https disable_redirects"
        site = fill(
            "Caddyfile",
            {
                "# tls /etc/ssl/music.pem /etc/ssl/music.key": f"tls {self.site.certificate} {self.site.key}",
                "127.0.0.1:8096": f"127.0.0.1:{self.site.oauth}",
                "127.0.0.1:8095": f"127.0.0.1:{self.site.player}",
                **({"# trusted_proxies 127.0.0.1": "trusted_proxies 127.0.0.1"} if self.behind_another else {}),
            },
        )
        (self.folder / "Caddyfile").write_text(f"{{\nadmin off\n{here}\n}}\n{site}", "utf-8")
        return "run", "--config", "Caddyfile", "--adapter", "caddyfile"


PROXIES: Final = (Nginx, Caddy)


def fill(name: str, values: Mapping[str, str]) -> str:
    """The example with its names and ports filled in; one that is no longer there fails, so that both stay in step."""
    text = (EXAMPLES / name).read_text("utf-8")
    for placeholder, value in values.items():
        assert placeholder in text, f"examples/{name} does not say {placeholder}"
        text = text.replace(placeholder, value)
    return text
