"""What is sent: requests of one kind on so many connections; and what was measured of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks import wire
from benchmarks.load import Job, Measured, measure
from benchmarks.served import Target, on_core
from benchmarks.table import spread

MANY: Final = 32
HEADS: Final = (
    *("", "connections", "bare handler, 1/s", "server, 1/s", "share", "bare handler, µs of processor", "server, µs of processor"),
    *("p50, ms", "p99, ms", "load busy"),
)
LINKS: Final = {wire.ROTATING: 1 + MANY, wire.KEEPING: 1 + MANY + MANY}
"""How many links of each client the scenarios need: each connection that refreshes or checks has one of its own."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How long to measure: rounds; answers of a round, alone on one connection and together on many; commits; starts."""

    rounds: int
    alone: int
    together: int
    commits: int
    starts: int

    def answers_on(self, connections: int) -> int:
        """Answers of a round on so many connections."""
        return self.together if connections > 1 else self.alone


@dataclass(frozen=True, slots=True)
class Round:
    """What the load measured, and the seconds of the processor that the measured process used for an answer."""

    load: Measured
    processor: float


@dataclass(slots=True)
class Scenario:
    """Connection *n* sends the *n*-th of `requests` again and again, or all of them use up what `renew` makes for a round.

    If it `follows`, each refresh is made with the refresh token of the answer before.
    """

    name: str
    connections: int
    answers: int
    requests: list[str] = field(default_factory=list)
    renew: Callable[[int], list[str]] | None = None
    follows: bool = False
    bare: list[Round] = field(default_factory=list)
    served: list[Round] = field(default_factory=list)

    def measure(self, bare: Target, server: Target) -> None:
        """Measure the bare handler, then the server, with the same requests."""
        requests = self.renew(self.answers) if self.renew else self.requests
        total = None if self.renew else self.answers
        with on_core(1):
            for target, rounds in ((bare, self.bare), (server, self.served)):
                used = target.processor_seconds()
                measured = measure(Job(target.port, self.connections, requests, total, self.follows))
                rounds.append(Round(measured, (target.processor_seconds() - used) / measured.answers))
        if self.follows:
            self.requests = self.served[-1].load.requests

    def forget(self) -> None:
        """Drop what was measured: it was to warm up."""
        self.bare.clear()
        self.served.clear()

    def row(self) -> list[str]:
        """The cells under `HEADS`."""
        rounds = [*zip(self.bare, self.served, strict=True)]
        return [
            self.name,
            str(self.connections),
            spread([bare.load.rate for bare in self.bare]),
            spread([served.load.rate for served in self.served]),
            f"{spread([100 * served.load.rate / bare.load.rate for bare, served in rounds])} %",
            spread([1e6 * bare.processor for bare in self.bare]),
            spread([1e6 * served.processor for served in self.served]),
            spread([1_000 * served.load.p50 for served in self.served], 2),
            spread([1_000 * served.load.p99 for served in self.served], 2),
            f"{100 * max(served.load.busy for served in self.served):.0f} %",
        ]


def scenarios(codes: Callable[[int], list[str]], link: Callable[[str], dict[str, Any]], extent: Extent) -> Iterator[Scenario]:
    """Everything that is measured by the second. `codes` makes codes of the keeping client, `link` a link of a client."""

    def exchanges(number: int) -> list[str]:
        return [wire.exchange(wire.KEEPING, code) for code in codes(number)]

    for connections in (1, MANY):
        answers = extent.answers_on(connections)
        yield Scenario("code exchange", connections, answers, renew=exchanges)
        for name, client_id in (("refresh that rotates", wire.ROTATING), ("refresh that keeps", wire.KEEPING)):
            refreshes = [wire.refresh(client_id, link(client_id)["refresh_token"]) for _ in range(connections)]
            yield Scenario(name, connections, answers, refreshes, follows=True)
    checks = [wire.check(link(wire.KEEPING)["access_token"]) for _ in range(MANY)]
    yield Scenario("token check", MANY, extent.together, checks)
    yield Scenario("health", MANY, extent.together, [wire.HEALTH] * MANY)
