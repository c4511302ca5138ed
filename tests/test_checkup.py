"""What the doctor is told of the machine that it runs on, and what it makes of that."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from alexa_oauth.admin.parts import PARTS
from alexa_oauth.checkup import ask_database, look_inside, read_rows
from alexa_oauth.diagnosis.attempt import Attempt
from alexa_oauth.diagnosis.checks.inside import Inside, check_inside
from alexa_oauth.diagnosis.checks.recorded import check_recorded
from alexa_oauth.diagnosis.findings import Finding, Verdict, complete
from alexa_oauth.keeping.panel import PanelKeeping
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.events import EventName, Reason
from alexa_oauth.protocol.keeping import DailyCopy
from tests.conftest import StartRig
from tests.diagnosis.households import WELL
from tests.diagnosis.story import OTHER_VENDOR_URI, Story
from tests.rig import ALEXA_VENDOR, NOW, Rig

DAY: Final = 86_400
WELL_CHECKS: Final = {"database": "ok", "encryption_key": "ok", "clock": "ok"}


async def inside_of(rig: Rig, checks: Mapping[str, str] | None = WELL_CHECKS, copy: DailyCopy | None = None) -> Inside:
    settings = rig.server.settings
    await rig.upkeep.write_refusals()
    return look_inside(settings, await ask_database(rig.store, settings, NOW), checks, copy)


def faults(inside: Inside) -> dict[str, Verdict]:
    return {found.cause.cause_id: found.verdict for found in check_inside(inside) if found.gravity >= 2}


async def test_a_server_that_is_set_up_well(start: StartRig) -> None:
    rig = await start(
        public_url="https://music.example.org", sign_in="pairing_code", vendor_ids=ALEXA_VENDOR, refresh_token_days="180"
    )
    assert faults(await inside_of(rig)) == {}


async def test_a_server_as_it_comes(start: StartRig, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "oauth_clients.json").write_text("{}")
    rig = await start(public_url="", sign_in="pairing_code")
    assert faults(await inside_of(rig)) == {
        "public_url_unset": Verdict.FAIL,
        "vendor_ids_unset": Verdict.FAIL,
        "refresh_token_expired": Verdict.WARN,
    }


async def test_a_proxy_that_nobody_configured_is_named_until_it_is_trusted(rig: Rig) -> None:
    rig.headers["X-Forwarded-For"] = "198.51.100.7"
    await rig.redeem("no code")
    inside = await inside_of(rig)
    (found,) = [found for found in check_inside(inside) if found.cause.cause_id == "proxy_unknown"]
    assert (found.verdict, found.fix.rpartition(": ")[2]) == (Verdict.WARN, "127.0.0.1")
    a_week_later = await read_rows(rig.store, rig.server.settings, NOW + 7 * 86_400 + 1)
    assert a_week_later.unknown_proxies == ()


async def test_a_proxy_that_is_trusted_by_now_is_no_stranger(start: StartRig) -> None:
    rig = await start(trusted_proxies="127.0.0.0/8")
    rig.headers["X-Forwarded-For"] = "198.51.100.7"
    await rig.redeem("no code")
    assert (await inside_of(rig)).unknown_proxies == ()


async def test_a_mistake_in_the_file_of_clients_is_told_as_that_alone(rig: Rig) -> None:
    rig.server.settings.clients_file.write_text('{"C1": {"client_type": "secret"}}')
    inside = await inside_of(rig)
    assert faults(inside) == {
        "clients_file_broken": Verdict.FAIL,
        "public_url_not_https": Verdict.FAIL,
        "anyone_may_approve": Verdict.WARN,
        "refresh_token_expired": Verdict.WARN,
    }
    assert "line 1" in inside.clients_faults[0]


@pytest.mark.parametrize(
    ("changes", "cause", "verdict"),
    [
        ({"checks": None}, "server_down", Verdict.FAIL),
        ({"checks": {**WELL_CHECKS, "database": "disk full"}}, "storage_unavailable", Verdict.FAIL),
        ({"checks": {**WELL_CHECKS, "clock": "doubtful"}}, "clock_wrong", Verdict.FAIL),
        ({"database_problem": "wrong key"}, "database_refused", Verdict.FAIL),
        ({"damage": "a payload in grants does not open"}, "row_damaged", Verdict.FAIL),
        ({"copy": DailyCopy(NOW - 2 * DAY - 1), "now": NOW}, "copy_stale", Verdict.WARN),
        ({"copy": DailyCopy(NOW, "the backup is damaged"), "now": NOW}, "copy_stale", Verdict.WARN),
        ({"copy_failed": "disk full"}, "copy_stale", Verdict.WARN),
        ({"free_bytes": 10_000_000}, "disk_nearly_full", Verdict.FAIL),
        ({"free_bytes": 100_000_000}, "disk_nearly_full", Verdict.WARN),
        ({"refresh_token_days": 90}, "refresh_token_expired", Verdict.WARN),
        ({"sign_in": "approve_only"}, "anyone_may_approve", Verdict.WARN),
        ({"has_secret": False}, "client_secret_unset", Verdict.FAIL),
        ({"has_redirect_uris": False}, "vendor_ids_unset", Verdict.FAIL),
        ({"public_url": None}, "public_url_unset", Verdict.FAIL),
        ({"public_url": "http://127.0.0.1"}, "public_url_not_https", Verdict.FAIL),
        ({"unknown_proxies": ("172.18.0.3",)}, "proxy_unknown", Verdict.WARN),
    ],
)
def test_each_fault_is_exactly_one_cause(changes: dict[str, object], cause: str, verdict: Verdict) -> None:
    assert faults(WELL) == {}
    assert faults(replace(WELL, **changes)) == {cause: verdict}  # type: ignore[arg-type]  # the values fit their fields


def test_a_copy_of_the_day_before_yesterday_is_fresh_enough() -> None:
    (found,) = [found for found in check_inside(replace(WELL, copy=DailyCopy(NOW - 2 * DAY), now=NOW)) if is_copy(found)]
    assert (found.verdict, found.sentence) == (Verdict.PASS, "The newest daily copy is fresh, and can be restored.")
    (found,) = [found for found in check_inside(WELL) if is_copy(found)]
    assert (found.verdict, "no daily copy yet" in found.sentence) == (Verdict.NOT_TESTABLE, True)


def no_room(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


async def test_the_newest_daily_copy_is_looked_into_as_for_a_restore(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    keeping = rig.server.admin[PARTS].keeping
    assert isinstance(keeping, PanelKeeping)
    assert keeping.daily_copy() is None
    await rig.link()
    await rig.upkeep.copy_daily()
    found = keeping.daily_copy()
    assert found is not None
    assert found.problem == ""
    with monkeypatch.context() as full:
        full.setattr(Path, "mkdir", no_room)
        assert keeping.daily_copy() == replace(found, problem="No space left on device"), (
            "there is one, and now it could not be restored"
        )
    (file,) = (rig.server.settings.data_dir / "backups").glob("*.db")
    file.write_bytes(file.read_bytes()[:8_192])
    assert keeping.daily_copy() == replace(found, problem="the backup is damaged")
    assert not (rig.server.settings.data_dir / "restore").exists()


async def test_why_no_newer_copy_could_be_made_is_told_until_one_is(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full() -> None:
        raise StorageUnavailable("disk full")

    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(rig.store, "daily_copy", full)
        await rig.upkeep.copy_daily()
    assert (await inside_of(rig)).copy_failed == "disk full"
    assert (await inside_of(rig, copy=DailyCopy(NOW - 1))).copy_failed == "disk full"
    assert (await inside_of(rig, copy=DailyCopy(NOW))).copy_failed == ""


def is_copy(found: Finding) -> bool:
    return found.cause.cause_id == "copy_stale"


def test_a_link_that_never_ends_is_as_amazon_wishes() -> None:
    assert faults(replace(WELL, refresh_token_days=0)) == {}


def test_several_links_of_one_person_are_told_and_no_fault() -> None:
    (found,) = [found for found in check_inside(replace(WELL, links_of={"local": 3})) if found.cause.cause_id == "old_rows"]
    assert (found.verdict, "3 living links" in found.sentence) == (Verdict.PASS, True)


async def test_what_stopped_the_newest_attempt_is_a_fault_until_a_link_comes_about(rig: Rig) -> None:
    browser = rig.browser()
    await browser.authorize(redirect_uri="https://ex.test/elsewhere")
    await rig.code()
    refused = await rig.redeem(await rig.code(), code_verifier="x" * 43)
    assert refused.refusal == (400, "invalid_grant")
    found = recorded(await inside_of(rig))
    assert found["pkce_disagrees"] is Verdict.FAIL
    assert found["code_expired"] is Verdict.PASS
    tokens = await rig.link()
    assert (await rig.verify(tokens["access_token"])).status == 200
    found = recorded(await inside_of(rig))
    assert set(found.values()) == {Verdict.PASS}


def test_what_stopped_an_attempt_is_gone_once_a_newer_one_came_further() -> None:
    """Whoever mended the vendor id and met the next fault should hear of that one alone."""
    refused = Story("a1").tell(EventName.AUTHORIZE_REFUSED, Reason.REDIRECT_URI_NOT_REGISTERED, redirect_uri=OTHER_VENDOR_URI)
    further = Story("a2", at=NOW + 60).asked().approved().refused(Reason.VERIFIER_WRONG)
    newest_first = (further.read(), refused.read())
    assert told(newest_first) == {"pkce_disagrees": Verdict.FAIL}
    assert told(newest_first[::-1]) == {"vendor_id_wrong": Verdict.FAIL, "pkce_disagrees": Verdict.WARN}


def told(attempts: tuple[Attempt, ...]) -> dict[str, Verdict]:
    return {found.cause.cause_id: found.verdict for found in check_recorded(attempts, NOW + 90) if found.gravity >= 2}


async def test_alexas_last_use_is_known_and_no_other_clients(rig: Rig) -> None:
    await rig.link("C1")
    assert not (await inside_of(rig)).alexa_gets_through
    await rig.link("alexa")
    inside = await inside_of(rig)
    assert (inside.alexa_came_at, inside.alexa_gets_through) == (NOW, True)


async def test_alexa_that_comes_with_a_token_of_a_lost_installation_is_told_until_it_is_linked_anew(start: StartRig) -> None:
    """It worked, and then Alexa asked to link again: of that no attempt tells."""
    rig = await start(sign_in="approve_only")
    await rig.refresh("aoa_rt_of_another_installation", "alexa")
    assert recorded_of(await inside_of(rig))["refresh_token_unknown"] is Verdict.WARN
    rig.clocks.advance(1)
    tokens = await rig.link("alexa")
    assert (await rig.verify(tokens["access_token"])).status == 200
    assert recorded_of(await inside_of(rig))["refresh_token_unknown"] is Verdict.PASS


async def test_a_secret_that_was_changed_here_alone_is_told_though_the_link_looks_alive(rig: Rig) -> None:
    tokens = await rig.link("alexa")
    rig.clocks.advance(3_600)
    wrong = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "alexa"}
    assert (await rig.post("/alexa/token", None, {**wrong, "client_secret": "another"})).status == 401
    await rig.upkeep.write_refusals()
    asked = await ask_database(rig.store, rig.server.settings, NOW + 3_700)
    found = {one.cause.cause_id: one for one in check_inside(look_inside(rig.server.settings, asked, WELL_CHECKS, None))}
    assert found["client_secret_wrong"].verdict is Verdict.WARN, "anybody could send one"
    assert "none has succeeded since" in found["client_secret_wrong"].sentence


async def test_attempts_of_long_ago_are_no_evidence(rig: Rig) -> None:
    await rig.redeem(await rig.code(), code_verifier="x" * 43)
    inside = await inside_of(rig)
    assert recorded(inside)["pkce_disagrees"] is Verdict.FAIL
    assert recorded(replace(inside, now=inside.now + 8 * 86_400)) == {}


def recorded_of(inside: Inside) -> dict[str, Verdict]:
    """The gravest verdict of each cause."""
    return {found.cause.cause_id: found.verdict for found in complete(check_inside(inside), called=False)}


def recorded(inside: Inside) -> dict[str, Verdict]:
    """What the attempts say of causes that show nowhere else."""
    return {found.cause.cause_id: found.verdict for found in check_recorded(inside.attempts, inside.now)}
