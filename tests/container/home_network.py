"""The network of Home Assistant's add-ons: a container's own, in which Supervisor, ingress gateway and another add-on are."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alexa_oauth.admin.ingress import GATEWAY
from tests.container.addon import SUPERVISOR_TOKEN, AddOn
from tests.container.engine import AS_ROOT, HERE, ROOT, as_root

SUPERVISOR: Final = str(GATEWAY)
ANOTHER_APP: Final = "172.30.33.5"
PATH: Final = "/api/hassio_ingress/xUnEz2QbsRUzy"
PUBLIC_PORT: Final = 8096
PANEL_PORT: Final = 8099


@dataclass(frozen=True, slots=True)
class HomeNetwork:
    """One add-on that runs on the ports that its image has by itself."""

    add_on: AddOn

    @classmethod
    def around(cls, add_on: AddOn) -> "HomeNetwork":
        """Start the add-on there."""
        add_on.network = "none"
        add_on.run_options = ("--add-host", f"supervisor:{SUPERVISOR}")
        del add_on.environment["ALEXA_OAUTH_PORT"], add_on.environment["ALEXA_OAUTH_ADMIN_PORT"]
        add_on.create()
        network = cls(add_on)
        for address in (SUPERVISOR, ANOTHER_APP):
            as_root(*network._entering(), "ip", "address", "add", f"{address}/32", "dev", "lo")
        add_on.wait_until(lambda: "/health" in add_on.log(), seconds=10)
        return network

    def open_panel(self, person: str, source: str = SUPERVISOR, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """The panel's first page as it is sent to that person's browser: status, headers, body."""
        return self._send({"port": PANEL_PORT, "source": source, "method": "GET", "path": "/", "headers": _from(person, headers)})

    def change(self, person: str, path: str, form: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
        """What the panel answers to a form of the person's."""
        headers = _from(person, {})
        return self._send(
            {"port": PANEL_PORT, "source": SUPERVISOR, "method": "POST", "path": path, "headers": headers, "form": form}
        )

    def visit(self, path: str, form: Mapping[str, str] | None = None, **headers: str) -> Any:  # noqa: ANN401 - JSON
        """What the public listener answers to another add-on, such as a proxy."""
        method = "GET" if form is None else "POST"
        return self._send(
            {"port": PUBLIC_PORT, "source": ANOTHER_APP, "method": method, "path": path, "headers": headers, "form": form}
        )

    @contextmanager
    def supervised(self, *people: str) -> Iterator[list[str]]:
        """The stand-in for the Supervisor answers meanwhile; the calls that it got, once the block has ended. `anna=password`."""
        program = (sys.executable, "-m", "tests.addon.supervisor_api", SUPERVISOR, SUPERVISOR_TOKEN, *people)
        calls: list[str] = []
        command = [*AS_ROOT, *map(str, self._entering()), *program]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as stand_in:
            assert stand_in.stdout is not None
            assert stand_in.stdout.readline() == "ready\n"
            try:
                yield calls
            finally:
                as_root("kill", str(stand_in.pid))
                calls += stand_in.stdout.read().splitlines()

    def _send(self, request: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        return json.loads(as_root(*self._entering(), sys.executable, HERE / "gateway.py", json.dumps(request)))

    def _entering(self) -> tuple[str | Path, ...]:
        return ("nsenter", "--net", "--target", self.add_on.inspect("{{.State.Pid}}"))


def _from(person: str, headers: Mapping[str, str]) -> dict[str, str]:
    return {
        "X-Remote-User-Id": person,
        "X-Ingress-Path": PATH,
        **{name.replace("_", "-"): said for name, said in headers.items()},
    }
