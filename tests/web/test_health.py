"""GET /health: monitors that watched an earlier server compare status, message and endpoints to the letter."""

from alexa_oauth import __version__
from tests.rig import Rig

DAY = 86_400


async def test_who_is_well_says_so_in_the_words_that_monitors_know(rig: Rig) -> None:
    answer = await rig.send("GET", "/health")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    assert list(answer.json) == ["status", "message", "endpoints", "version", "instance", "checks"]
    assert answer.json["status"] == "ok"
    assert answer.json["message"] == "Music Assistant OAuth Server"
    assert answer.json["endpoints"] == ["/alexa/authorize", "/alexa/token", "/health"]
    assert answer.json["version"] == __version__
    assert answer.json["checks"] == {"database": "ok", "encryption_key": "ok", "clock": "ok"}


async def test_what_is_not_well_is_named_with_503(rig: Rig) -> None:
    rig.clocks.step(DAY)
    await rig.refresh("a request looks at the clock")
    answer = await rig.send("GET", "/health")
    assert (answer.status, answer.json["status"], answer.json["checks"]["clock"]) == (503, "error", "doubtful")
    assert answer.json["checks"]["database"] == "ok"
    assert answer.json["message"] == "Music Assistant OAuth Server"
