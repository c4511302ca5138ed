"""The server inside another application: the example as it stands, a whole link through it, and what it leaves alone."""

import importlib.util
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
import structlog
from aiohttp import ClientSession, web

import alexa_oauth
from alexa_oauth import __version__, register_oauth_routes
from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.settings.loading import SettingsRefused
from alexa_oauth.upkeep import Upkeep
from tests.rig import CHALLENGE, VERIFIER, Answer, basic

EXAMPLE: Final = Path(__file__).parents[1] / "examples" / "embedding.py"
SECRET: Final = "a-secret-of-the-console"
REDIRECT_URI: Final = "https://pitangui.amazon.com/api/skill/link/M1A2B3C4D5E6F7"
REQUEST: Final = {
    "response_type": "code",
    "client_id": "amazon-alexa",
    "redirect_uri": REDIRECT_URI,
    "state": "a+b/c=",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Guest:
    """Somebody who asks the application."""

    def __init__(self, origin: str, session: ClientSession) -> None:
        self._origin = origin
        self._session = session

    async def get(self, path: str, **said: str | dict[str, str]) -> Answer:
        return await self._ask("GET", path, **said)

    async def post(self, path: str, **said: str | dict[str, str]) -> Answer:
        return await self._ask("POST", path, **said)

    async def token(self, **form: str) -> Answer:
        return await self.post("/alexa/token", data=form, headers={"Authorization": basic("amazon-alexa", SECRET)})

    async def _ask(self, method: str, path: str, **said: object) -> Answer:
        async with self._session.request(method, self._origin + path, allow_redirects=False, **said) as answer:  # type: ignore[arg-type]  # as aiohttp takes them
            return Answer(answer.status, answer.headers.copy(), await answer.read())


@pytest.fixture(autouse=True)
def bare_logging() -> None:
    """As a program that never heard of structlog has it."""
    structlog.reset_defaults()


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example, with a secret that the test knows, too."""
    spec = importlib.util.spec_from_file_location("example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Cookies travel over plain HTTP here.
    monkeypatch.setattr(module, "SETTINGS", {**module.SETTINGS, "client_secret": SECRET, "public_url": "http://127.0.0.1"})
    return module


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[Guest]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession() as session:
            yield Guest(f"http://127.0.0.1:{runner.addresses[0][1]}", session)
    finally:
        await runner.cleanup()


async def link(guest: Guest) -> dict[str, str]:
    """The tokens of a link that Anna made, who is signed in to the application."""
    shown = (await guest.get("/pairing-code", headers={"X-Signed-In": "anna"})).json
    page = await guest.get("/alexa/authorize", params=REQUEST)
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    form = {**page.hidden, "decision": "approve", "pairing_code": shown["code"]}
    back = await guest.post("/alexa/approve", data=form, headers={"Cookie": cookie})
    assert (back.status, back.returned["state"]) == (303, "a+b/c=")
    redeem = {"grant_type": "authorization_code", "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}
    answer = await guest.token(**redeem, code=back.returned["code"])
    assert answer.status == 200, answer.text
    return dict(answer.json)


async def test_a_link_belongs_to_whom_the_application_says_and_outlives_it(example: ModuleType, tmp_path: Path) -> None:
    async with served(example.application(tmp_path / "data")) as guest:
        tokens = await link(guest)
        verified = await guest.get("/alexa/verify", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert (verified.status, verified.headers["X-OAuth-Subject"]) == (200, "user:anna")
        assert (await guest.get("/health")).json["status"] == "ok"
    async with served(example.application(tmp_path / "data")) as guest:
        assert (await guest.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])).status == 200


async def test_what_is_not_ours_is_as_it_was(example: ModuleType, tmp_path: Path) -> None:
    app = example.application(tmp_path / "data")

    async def home(_request: web.Request) -> web.Response:
        return web.Response(text="home of the application")

    app.router.add_get("/", home)
    async with served(app) as guest:
        own, ours, nobody = await guest.get("/"), await guest.get("/health"), await guest.get("/nobody")
    assert (own.text, "Server" in own.headers, "X-Content-Type-Options" in own.headers) == (
        "home of the application",
        True,
        False,
    )
    assert ("Server" in ours.headers, ours.headers["X-Content-Type-Options"]) == (False, "nosniff")
    assert (nobody.status, nobody.text) == (404, "404: Not Found")


async def test_pages_and_refusals_are_framed_as_on_our_own_listener(example: ModuleType, tmp_path: Path) -> None:
    async with served(example.application(tmp_path / "data")) as guest:
        page = await guest.get("/alexa/authorize", params=REQUEST)
        refused = await guest.token(grant_type="refresh_token", refresh_token="none")
    assert (page.headers["X-Frame-Options"], "Server" in page.headers) == ("DENY", False)
    assert refused.refusal == (400, "invalid_grant")


async def test_it_starts_and_ends_with_the_application(example: ModuleType, tmp_path: Path) -> None:
    async with served(example.application(tmp_path / "data")):
        with pytest.raises(StartRefused, match="another server already runs"):
            async with served(example.application(tmp_path / "data")):
                pytest.fail("two servers on one folder")
    assert not (tmp_path / "data" / "oauth.db-wal").exists()


async def test_a_database_that_turns_out_beyond_help_is_told_and_ends_nothing_of_the_application(
    example: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On our own listener that would end the process, for a supervisor to see."""

    async def refuse(_: Upkeep) -> None:
        raise StartRefused("wrong encryption key")

    monkeypatch.setattr(Upkeep, "run", refuse)
    async with served(example.application(tmp_path / "data")) as guest:
        assert (await guest.get("/health")).status == 200
        told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert told == ['event=storage.unavailable problem="wrong encryption key"']


async def test_log_lines_go_to_the_applications_loggers_and_hold_no_secret(
    example: ModuleType, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with served(example.application(tmp_path / "data")) as guest:
        tokens = await link(guest)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("alexa_oauth")]
    assert any(line.startswith("event=token.issued ") for line in ours)
    secrets = (tokens["access_token"], tokens["refresh_token"], SECRET)
    assert [secret for secret in secrets if secret in caplog.text] == []


def test_faults_of_the_settings_are_told_at_once_each_in_a_line() -> None:
    with pytest.raises(SettingsRefused) as refused:
        register_oauth_routes(web.Application(), {"public_url": "http://music.example.org", "code_seconds": 5})
    assert [fault.partition(":")[0] for fault in refused.value.faults] == ["public_url", "code_seconds"]


async def test_settings_of_the_environment_are_another_programs(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALEXA_OAUTH_PUBLIC_URL", "https://elsewhere.example.org")
    async with served(example.application(tmp_path / "data")) as guest:
        metadata = (await guest.get("/.well-known/oauth-authorization-server")).json
    assert metadata["issuer"] == "http://127.0.0.1"


@pytest.mark.parametrize("subject", ["", "with a blank", "naïve", "x" * 201, "line\n"])
async def test_a_subject_is_a_name_that_a_header_field_can_carry(subject: str, tmp_path: Path) -> None:
    app = web.Application()
    oauth = register_oauth_routes(app, {"data_dir": str(tmp_path / "data")})
    async with served(app):
        with pytest.raises(ValueError, match="visible ASCII"):
            await oauth.pairing_code(subject)


def test_the_package_itself_offers_nothing_else() -> None:
    assert __version__
    with pytest.raises(AttributeError, match="no attribute 'register'"):
        alexa_oauth.register  # noqa: B018 - asking is the test
