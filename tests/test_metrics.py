"""What is counted, who may read it, and that no caller can write into it."""

import json
import re
from pathlib import Path
from typing import Final

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from prometheus_client.parser import text_string_to_metric_families

from alexa_oauth.metrics import Metrics
from alexa_oauth.protocol.activity import BOUNDS, HOUR, Activity, Tally, by_hour, class_name, together
from alexa_oauth.protocol.errors import ErrorCode, StorageUnavailable
from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.web.counted import counted
from alexa_oauth.web.plain_answer import PlainAnswer
from tests.conftest import StartRig
from tests.panel import BERT, Guest, at_the_panel, by_link, home_assistant_user
from tests.rig import NOW, Rig

METRICS_TOKEN: Final = "metrics-token-0123456789abcdef0123456789abcdef"
PATHS: Final = (
    *(
        "/",
        "/health",
        "/alexa/authorize",
        "/alexa/approve",
        "/alexa/token",
        "/alexa/revoke",
        "/alexa/introspect",
        "/alexa/verify",
    ),
    *("/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/alexa"),
)
EXAMPLES: Final = Path(__file__).parents[1] / "examples"
CANARY: Final = "canary-that-a-stranger-chose"


async def metered(start: StartRig, **settings: str | bool) -> Rig:
    return await start(metrics_token=METRICS_TOKEN, **settings)


async def samples(rig: Rig) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus would write them."""
    answer = await at_the_panel(rig).send("GET", "/metrics", Authorization=f"Bearer {METRICS_TOKEN}")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    return {
        sample.name + "".join(f",{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_a_link_its_refresh_and_a_refusal_are_counted(start: StartRig) -> None:
    rig = await metered(start)
    tokens = await rig.link()
    assert (await rig.refresh(tokens["refresh_token"])).status == 200
    assert (await rig.redeem("no such code")).refusal == (400, "invalid_grant")
    await rig.browser().authorize()
    await rig.upkeep.write_activity()
    counted = await samples(rig)
    expected = {
        "alexa_oauth_tokens_issued_total": 1,
        "alexa_oauth_tokens_refreshed_total": 1,
        "alexa_oauth_approvals_total": 1,
        "alexa_oauth_requests_total,endpoint=/alexa/token": 3,
        "alexa_oauth_answers_total,endpoint=/alexa/token,error=,status=200": 2,
        "alexa_oauth_answers_total,endpoint=/alexa/token,error=invalid_grant,status=400": 1,
        "alexa_oauth_events_total,event=token.refused,reason=code_unknown": 1,
        "alexa_oauth_answer_seconds_count,endpoint=/alexa/token": 3,
        "alexa_oauth_pending_requests": 1,
        "alexa_oauth_links": 1,
        "alexa_oauth_check_ok,check=database": 1,
    }
    assert {name: counted.get(name) for name in expected} == expected
    assert counted["alexa_oauth_link_success_ratio"] == pytest.approx(2 / 3)
    assert counted["alexa_oauth_commit_seconds_count"] == counted["alexa_oauth_transaction_seconds_count"] > 2
    assert 0 < counted["alexa_oauth_commit_seconds_sum"] < 10


ALERTED: Final = {
    f"alexa_oauth_{name}_total" for name in ("tokens_issued", "tokens_refreshed", "tokens_reused", "approvals", "refusals")
}


async def test_what_alerts_look_at_is_there_before_it_happens(start: StartRig) -> None:
    """Of a counter that appears as 1, Prometheus sees no increase: the first reuse would raise no alert."""
    rig = await metered(start)
    assert {name: value for name, value in (await samples(rig)).items() if name in ALERTED} == dict.fromkeys(ALERTED, 0)
    first = (await rig.link("C3"))["refresh_token"]
    await rig.refresh(first, "C3")
    assert (await rig.refresh(first, "C3")).refusal == (400, "invalid_grant")
    assert (await rig.redeem("no such code")).refusal == (400, "invalid_grant")
    counted = await samples(rig)
    assert counted["alexa_oauth_tokens_reused_total"] == 1
    assert counted["alexa_oauth_refusals_total"] == 1
    rules = (EXAMPLES / "prometheus-alerts.yaml").read_text("utf-8")
    increasing = set(re.findall(r"increase\((alexa_oauth_[a-z_]+)", rules))
    assert increasing
    assert increasing <= ALERTED


async def test_a_fault_of_ours_is_counted_as_one(start: StartRig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = await metered(start)

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("alexa_oauth.web.token.authenticate_client", fail)
    assert (await rig.redeem("code")).status == 500
    counted = await samples(rig)
    assert counted["alexa_oauth_answers_total,endpoint=/alexa/token,error=server_error,status=500"] == 1


async def test_nothing_that_a_caller_sends_becomes_a_label(start: StartRig) -> None:
    """Labels are kept for ever: one that a stranger chooses fills the memory, and writes into the operator's dashboards."""
    rig = await metered(start)
    form = dict.fromkeys(("grant_type", "client_id", "code", "redirect_uri", "error", "token", "scope"), CANARY)
    for path in ("/alexa/token", "/alexa/revoke", "/alexa/introspect", "/alexa/authorize", "/alexa/approve", f"/{CANARY}"):
        await rig.post(path, None, form, User_Agent=CANARY, X_Forwarded_For=CANARY)
        await rig.send("GET", f"{path}?client_id={CANARY}&redirect_uri={CANARY}&error={CANARY}")
        await rig.send(CANARY.upper().replace("-", ""), path)
    await rig.send("GET", "/alexa/verify", headers={"Authorization": f"Bearer {CANARY}"})
    counted = await samples(rig)
    assert [name for name in counted if CANARY in name.lower() or "canary" in name.lower()] == []
    closed = {"", *EventName, *Reason, *ErrorCode}
    labels = {label for name in counted for label in name.split(",")[1:]}
    assert {label for label in labels if label.startswith(("event=", "reason=", "error="))} <= {
        f"{kind}={value}" for kind in ("event", "reason", "error") for value in closed
    }
    assert {label for label in labels if label.startswith("endpoint=")} <= {f"endpoint={path}" for path in PATHS}


@pytest.mark.parametrize(
    "authorization",
    ["Bearer", "Bearer ", "Bearer wrong", f"Basic {METRICS_TOKEN}", f"Bearer {METRICS_TOKEN}x", "Bearer \udcff", METRICS_TOKEN],
)
async def test_a_wrong_token_reads_nothing(start: StartRig, authorization: str) -> None:
    rig = await metered(start)
    answer = await at_the_panel(rig).send("GET", "/metrics", Authorization=authorization.encode("utf-8", "ignore").decode())
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert "alexa_oauth_" not in answer.text


async def test_two_tokens_are_none(start: StartRig) -> None:
    """What stands in front may have judged the other one."""
    rig = await metered(start)
    headers = [("Authorization", f"Bearer {METRICS_TOKEN}"), ("Authorization", "Bearer wrong")]
    async with rig.session.get(f"{rig.admin_origin}/metrics", headers=headers) as answer:
        assert answer.status == 401


async def test_without_the_setting_no_token_is_right(rig: Rig) -> None:
    for authorization in ("Bearer ", "Bearer None", f"Bearer {METRICS_TOKEN}"):
        assert (await at_the_panel(rig).send("GET", "/metrics", Authorization=authorization)).status == 401
    assert (await at_the_panel(rig).send("GET", "/metrics")).status == 403


async def test_whoever_opened_the_panel_may_read_them(rig: Rig) -> None:
    guest: Guest = await by_link(rig)
    answer = await guest.open("/metrics")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "alexa_oauth_check_ok" in answer.text


async def test_inside_home_assistant_administrators_and_machines_with_the_token(
    start: StartRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await metered(start, supervised=True)
    assert (await at_the_panel(rig).send("GET", "/metrics")).status == 403
    assert (await at_the_panel(rig).send("GET", "/metrics", Authorization=f"Bearer {METRICS_TOKEN}")).status == 200
    assert (await at_the_panel(rig).send("GET", "/", Authorization=f"Bearer {METRICS_TOKEN}")).status == 403
    monkeypatch.setattr("alexa_oauth.admin.ingress.GATEWAY", "127.0.0.1")
    monkeypatch.setattr("alexa_oauth.admin.ingress.peer_of", lambda _: "127.0.0.1")
    assert (await home_assistant_user(rig).open("/metrics")).status == 200
    assert (await home_assistant_user(rig, BERT, "Bert").open("/metrics")).status == 403


async def test_the_metrics_are_not_on_the_public_listener(start: StartRig) -> None:
    rig = await metered(start)
    answer = await rig.send("GET", "/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status == 404


async def test_the_token_is_in_no_repr(start: StartRig) -> None:
    rig = await metered(start)
    assert METRICS_TOKEN not in repr(rig.server)


async def hours_of(rig: Rig) -> list[Activity]:
    async with rig.store.reader() as reader:
        return await reader.activity(0)


async def test_what_was_counted_survives_a_restart_hour_by_hour(rig: Rig) -> None:
    tokens = await rig.link()
    await rig.upkeep.write_activity()
    rig.clocks.advance(HOUR)
    assert (await rig.refresh(tokens["refresh_token"])).status == 200
    await rig.upkeep.write_activity()
    first, second = await hours_of(rig)
    assert (first.begins_at, second.begins_at) == (NOW - NOW % HOUR, NOW - NOW % HOUR + HOUR)
    assert (first.count(Tally.LINKED), first.count(Tally.APPROVED), first.tokens) == (1, 1, 1)
    assert (second.count(Tally.REFRESHED), second.tokens, second.success) == (1, 1, 1.0)
    assert sum(count for name, count in second.counts.items() if name.startswith("time_")) == 1


async def test_a_minute_without_requests_writes_nothing(rig: Rig) -> None:
    await rig.link()
    await rig.upkeep.write_activity()
    changes = rig.store._writer._sqlite.total_changes
    await rig.upkeep.write_activity()
    assert rig.store._writer._sqlite.total_changes == changes


async def test_what_could_not_be_written_is_written_later(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.link()
    with monkeypatch.context() as broken:

        async def fail(*_: object) -> None:
            raise StorageUnavailable

        broken.setattr(type(rig.server.store), "write", fail)
        with pytest.raises(StorageUnavailable):
            await rig.upkeep.write_activity()
    await rig.upkeep.write_activity()
    (hour,) = await hours_of(rig)
    assert hour.tokens == 1


async def test_an_error_that_is_on_no_list_is_no_label() -> None:
    metrics = Metrics()

    async def handler(_: web.Request) -> web.StreamResponse:
        return PlainAnswer(400, body=b'{"error": "made_up"}')

    route = counted(web.get("/", handler), metrics)
    await route.handler(make_mocked_request("GET", "/"))
    assert metrics.of("/").answers == {(400, ""): 1}


async def test_old_hours_are_forgotten(rig: Rig) -> None:
    await rig.link()
    await rig.upkeep.write_activity()
    rig.clocks.advance(9 * 86_400)
    await rig.upkeep.sweep()
    assert await hours_of(rig) == []


def test_hours_in_which_nothing_happened_are_there_and_empty() -> None:
    now = 10 * HOUR + 5
    found = by_hour([Activity(8 * HOUR, {"linked": 2}), Activity(2 * HOUR, {"linked": 9})], now, 3)
    assert [(hour.begins_at // HOUR, hour.count(Tally.LINKED)) for hour in found] == [(8, 2), (9, 0), (10, 0)]


def test_several_hours_as_one() -> None:
    both = together([Activity(HOUR, {"linked": 1, "refused": 1}), Activity(0, {"refreshed": 2})])
    assert (both.begins_at, both.tokens, both.success) == (0, 3, 0.75)
    assert Activity(0, {"refreshed": 1, "reused": 1}).success == 0.5
    assert together([]).success is None


def test_within_which_time_most_answers_were_given() -> None:
    counts = {class_name(2): 90, class_name(8): 8, class_name(len(BOUNDS)): 2}
    hour = Activity(0, counts)
    assert (hour.seconds_within(0.5), hour.seconds_within(0.95), hour.seconds_within(1)) == (0.005, 0.5, float("inf"))
    assert Activity(0).seconds_within(0.95) is None


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "prometheus-alerts.yaml"])
async def test_every_metric_that_an_example_names_exists(start: StartRig, name: str) -> None:
    rig = await metered(start)
    tokens = await rig.link()
    await rig.refresh(tokens["refresh_token"])
    await rig.redeem("no such code")
    await rig.upkeep.write_activity()
    there = {sample.partition(",")[0] for sample in await samples(rig)}
    labels = {label.partition("=")[0] for sample in await samples(rig) for label in sample.split(",")[1:]}
    text = (EXAMPLES / name).read_text("utf-8")
    named = set(re.findall(r"alexa_oauth_[a-z_]+", text))
    assert len(named) >= 6
    assert named - there == set()
    assert set(re.findall(r"\{\{ ?(?:\$labels\.)?([a-z]+) ?\}\}", text)) - labels == set()


def test_the_examples_can_be_read() -> None:
    dashboard = json.loads((EXAMPLES / "grafana-dashboard.json").read_text("utf-8"))
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"]) == 10
    rules = yaml.safe_load((EXAMPLES / "prometheus-alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    assert all(rule.keys() >= {"alert", "expr", "annotations"} for rule in rules)
