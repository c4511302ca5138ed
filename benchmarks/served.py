"""The servers that are measured: the real one with codes ready, and the bare handler; and the core that they have."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alexa_oauth.app import system_clock
from alexa_oauth.protocol.credentials import new_secret
from alexa_oauth.protocol.models import AuthorizationRequest, PendingRequest
from alexa_oauth.protocol.policy import SCOPES
from alexa_oauth.storage.store import Opening, SqliteStore
from alexa_oauth.storage.transaction import Rule, SqliteTransaction
from benchmarks.wire import CHALLENGE, CLIENTS, REDIRECT_URI
from tests.running_server import RunningServer

HERE: Final = Path(__file__).parent
_CODE_SECONDS: Final = 3_600


@dataclass(frozen=True, slots=True)
class Target:
    """A process that is measured, and the port on which it answers."""

    port: int
    process: int

    def processor_seconds(self) -> float:
        """What all its threads have used so far, to the nanosecond (proc(5), `schedstat`); 0 where the system does not tell."""
        return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{self.process}/task").glob("*/schedstat")) / 1e9


def make_server(folder: Path) -> RunningServer:
    """The real server, not started yet, with a client of either profile. Its bytecode is kept, as in the image."""
    clients_file = folder.with_name(f"{folder.name}.clients.json")
    clients_file.write_text(json.dumps(CLIENTS))
    return RunningServer(folder, {"ALEXA_OAUTH_CLIENTS_FILE": str(clients_file), "PYTHONDONTWRITEBYTECODE": ""})


@contextmanager
def bare_handler() -> Iterator[Target]:
    """The bare handler's process."""
    with subprocess.Popen([sys.executable, HERE / "bare_handler.py"], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Target(int(process.stdout.readline() if process.stdout else ""), process.pid)
        finally:
            process.kill()


@contextmanager
def on_core(place: int) -> Iterator[None]:
    """Processes that are started in the block stay on one core: servers on the first, the load on the second.

    Where there is one core only, or the system binds no process, everybody shares what there is.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[place]})
    try:
        yield
    finally:
        if len(cores) > 1:
            os.sched_setaffinity(0, cores)


def approve(folder: Path, client_id: str, number: int, *, beside_server: bool = False) -> list[str]:
    """That many codes of the client, written through the store.

    A person would have approved each on the consent page, which is not what is measured here.
    """
    codes = [new_secret(os.urandom) for _ in range(number)]

    def write(tx: SqliteTransaction) -> None:
        for place, code in enumerate(codes):
            # Each for somebody else: nobody may have many unredeemed codes.
            tx.authorizations.fulfil(_waiting(client_id, tx.now), code, f"person-{place}", tx.now + _CODE_SECONDS)

    asyncio.run(_write(folder, write, serving=not beside_server))
    return codes


async def _write(folder: Path, rule: Rule[None], *, serving: bool) -> None:
    opening = Opening(None, system_clock().instant, os.urandom, dict, on_commit=lambda _: None, serving=serving)
    store = SqliteStore.open(folder, opening)
    try:
        await store.write(rule)
    finally:
        await store.close()


def _waiting(client_id: str, now: int) -> PendingRequest:
    request = AuthorizationRequest(client_id, REDIRECT_URI, tuple(SCOPES), (), None, CHALLENGE)
    return PendingRequest("none", "", "", request, "00000000", "127.0.0.1", "", now, now)
