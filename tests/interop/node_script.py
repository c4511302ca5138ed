"""Runs one of the scripts in `node/`, and speaks its lines of JSON with it."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.interop.person import Person
from tests.interop.registered import RESOURCE_SERVER, SCOPE, Registered

SCRIPTS: Final = Path(__file__).parent / "node"
DEADLINE_SECONDS: Final = 60


async def findings_of(library: str, client: Registered, person: Person, issuer: str) -> dict[str, Any]:
    """What the library's script found out as that client, with the person at the pages that it names."""
    task = {"issuer": issuer, "scope": SCOPE, "client": asdict(client), "resource_server": asdict(RESOURCE_SERVER)}
    script = await asyncio.create_subprocess_exec("node", SCRIPTS / f"{library}.mjs", stdin=PIPE, stdout=PIPE)
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            findings = await _converse(script, task, person)
            assert await script.wait() == 0
    finally:
        if script.returncode is None:
            script.kill()
            await script.wait()
    return findings


async def _converse(script: Process, task: dict[str, Any], person: Person) -> dict[str, Any]:
    assert script.stdin is not None
    assert script.stdout is not None
    answer = task
    while True:
        script.stdin.write(json.dumps(answer).encode() + b"\n")
        line = await script.stdout.readline()
        assert line, "The script ended early; what it said stands above"
        told: dict[str, Any] = json.loads(line)
        if "findings" in told:
            return dict(told["findings"])
        visit = {"approve": person.approve, "deny": person.deny}[told["decision"]]
        answer = {"back": await asyncio.to_thread(visit, told["visit"])}
