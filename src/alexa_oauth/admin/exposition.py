"""The counts as Prometheus reads them (text format 0.0.4)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from alexa_oauth.metrics import Histogram, Metrics
from alexa_oauth.protocol.activity import BOUNDS
from alexa_oauth.protocol.events import EventName

if TYPE_CHECKING:
    from prometheus_client.core import Metric

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


_ALERTED: Final = (
    ("tokens_issued", "Links made: codes exchanged for tokens.", EventName.TOKEN_ISSUED),
    ("tokens_refreshed", "Access tokens refreshed.", EventName.TOKEN_REFRESHED),
    ("tokens_reused", "Tokens that were replaced long ago, and came back.", EventName.TOKEN_REUSED),
    ("approvals", "Requests approved by a person.", EventName.CODE_ISSUED),
    ("refusals", "Requests that were refused, and sign-ins that failed.", (".refused", ".failed")),
)
"""Sums that are there from the start, as 0: of one that appears with its first event, Prometheus sees no increase."""


@dataclass(frozen=True, slots=True)
class Present:
    """What is not counted but looked at when somebody asks; `None` if it cannot be told now.

    `success` is of 1, over the last 24 hours. `checks` is what `/health` tells.
    """

    version: str
    checks: Mapping[str, str]
    pending_requests: int | None
    links: int | None
    success: float | None


def exposition(metrics: Metrics, present: Present) -> bytes:
    """All of it."""
    # Who serves need not load this library unless somebody asks: every start would wait for it.
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector([*_counted(metrics), *_timed(metrics), *_looked_at(present)]))
    return generate_latest(registry)


class _Collector:
    def __init__(self, families: Iterable["Metric"]) -> None:
        self._families = families

    def collect(self) -> Iterable["Metric"]:
        return self._families


def _counted(metrics: Metrics) -> Iterator["Metric"]:
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - see above

    requests = CounterMetricFamily("alexa_oauth_requests", "Requests by endpoint.", labels=["endpoint"])
    answers = CounterMetricFamily(
        "alexa_oauth_answers", "Answers by endpoint, status and error code.", labels=["endpoint", "status", "error"]
    )
    for path, endpoint in metrics.endpoints.items():
        requests.add_metric([path], sum(endpoint.answers.values()))
        for (status, error), count in endpoint.answers.items():
            answers.add_metric([path, str(status), error], count)
    events = CounterMetricFamily("alexa_oauth_events", "Events of the audit trail.", labels=["event", "reason"])
    for (event, reason), count in metrics.events.items():
        events.add_metric([event, reason], count)
    yield from (requests, answers, events)
    for name, what, ending in _ALERTED:
        count = sum(count for (event, _), count in metrics.events.items() if event.endswith(ending))
        yield CounterMetricFamily(f"alexa_oauth_{name}", what, value=count)


def _timed(metrics: Metrics) -> Iterator["Metric"]:
    from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415 - see above

    answers = HistogramMetricFamily("alexa_oauth_answer_seconds", "Time to answer, by endpoint.", labels=["endpoint"])
    for path, endpoint in metrics.endpoints.items():
        answers.add_metric([path], _buckets(endpoint.times), endpoint.times.seconds)
    yield answers
    for name, what, times in (
        ("transaction", "Time that a batch of requests takes in the database.", metrics.transaction_times),
        ("commit", "Time that a commit takes to reach the disk.", metrics.commit_times),
    ):
        yield HistogramMetricFamily(f"alexa_oauth_{name}_seconds", what, buckets=_buckets(times), sum_value=times.seconds)


def _buckets(times: Histogram) -> list[tuple[str, float]]:
    """Cumulative, as the format wants them."""
    bounds = (*(str(bound) for bound in BOUNDS), "+Inf")
    return [(bound, sum(times.classes[: number + 1])) for number, bound in enumerate(bounds)]


def _looked_at(present: Present) -> Iterator["Metric"]:
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily  # noqa: PLC0415 - see above

    yield InfoMetricFamily("alexa_oauth", "The server.", value={"version": present.version})
    checks = GaugeMetricFamily("alexa_oauth_check_ok", "1 if the check of /health is ok, else 0.", labels=["check"])
    for name, outcome in present.checks.items():
        checks.add_metric([name], outcome == "ok")
    yield checks
    for name, what, value in (
        ("pending_requests", "Authorization requests that wait for a person.", present.pending_requests),
        ("links", "Living links.", present.links),
        ("link_success_ratio", "Token requests of known clients that got tokens, in the last 24 hours.", present.success),
    ):
        if value is not None:
            yield GaugeMetricFamily(f"alexa_oauth_{name}", what, value=value)
