"""The add-on from its first start to its end, under the limits of a small machine."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.container.addon import SUPERVISOR_TOKEN, AddOn, health_status
from tests.container.conftest import MakeAddOn, Note
from tests.container.engine import IMAGE, as_root
from tests.container.skill import OPTIONS, Skill
from tests.durability.wire import Wire

pytestmark = pytest.mark.container

HEALTHY_SECONDS: Final = 5
AGAIN_SECONDS: Final = 3
STOP_SECONDS: Final = 3
CRASHED_SECONDS: Final = 15
SERVER: Final = "896"

HOLD: Final = """
import sqlite3, sys
with sqlite3.connect("/data/oauth.db", isolation_level=None) as other:
    other.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(make_add_on: MakeAddOn) -> AddOn:
    """The add-on with what a household sets; it is started."""
    add_on = make_add_on(OPTIONS)
    add_on.start()
    return add_on


def status_of_server(add_on: AddOn) -> dict[str, str]:
    """What the kernel says of the server's process."""
    lines = add_on.execute("cat", f"/proc/{add_on.server_pid()}/status").splitlines()
    return dict(line.split(":\t", 1) for line in lines)


def peak_of_memory(add_on: AddOn) -> dict[str, int]:
    """The most that all of the container used, files that were read included, and the server's process alone; in bytes."""
    process = Path(f"/proc/{add_on.inspect('{{.State.Pid}}')}/cgroup").read_text("utf-8").splitlines()
    groups = [line.split(":", 2) for line in process]
    places = [Path(f"/sys/fs/cgroup/memory{path}/memory.max_usage_in_bytes") for _, names, path in groups if names == "memory"]
    places += [Path(f"/sys/fs/cgroup{path}/memory.peak") for _, names, path in groups if not names]
    found = [int(as_root("cat", place)) for place in places if place.exists()]
    kilobytes = int(status_of_server(add_on)["VmHWM"].removesuffix(" kB"))
    return {"container": max(found), "server": kilobytes * 1024}


@contextmanager
def somebody_writes(add_on: AddOn) -> Iterator[None]:
    """Another program holds the database's one place for a writer."""
    holding = add_on.engine.podman_command("exec", "--interactive", add_on.container, "python3", "-c", HOLD)
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield
        holder.stdin.close()


class TestStart:
    def test_it_is_healthy_within_seconds(self, make_add_on: MakeAddOn, note: Note) -> None:
        add_on = make_add_on()
        seconds = add_on.start()
        note("from `run` to the first start's health", f"{seconds:.1f} s")
        assert seconds < HEALTHY_SECONDS
        check = json.loads(add_on.engine.podman("image", "inspect", IMAGE))[0]["Healthcheck"]["Test"]
        assert (check[0], add_on.execute(*check[1:])) == ("CMD", "ok\n")

    def test_the_server_is_nobody_special(self, home: AddOn) -> None:
        status = status_of_server(home)
        assert status["Uid"].split() == status["Gid"].split() == [SERVER] * 4
        assert status["Groups"].strip() == ""
        assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
        assert status["Umask"] == "0077"

    def test_the_options_reach_it_though_they_are_roots_alone(self, home: AddOn) -> None:
        files = home.files()
        assert files.pop("options.json") == ("0", 0o600)
        assert {owner for owner, _ in files.values()} == {SERVER}
        assert {mode & 0o077 for _, mode in files.values()} == {0}
        handed_over = home.execute("stat", "--format", "%U %a", "/run/alexa-oauth/options.json")
        assert handed_over == "alexa 400\n", "secrets may stand in it"
        assert "https://music.example.org/alexa/authorize" in home.execute("alexa-oauth", "alexa-config")

    def test_the_supervisors_token_reaches_it_and_no_file_of_its_own(self, home: AddOn) -> None:
        as_the_server = ("setpriv", "--reuid=alexa", "--regid=alexa", "--clear-groups")
        environment = home.execute(*as_the_server, "cat", f"/proc/{home.server_pid()}/environ").split("\0")
        assert f"SUPERVISOR_TOKEN={SUPERVISOR_TOKEN}" in environment
        assert home.execute("grep", "-rlF", SUPERVISOR_TOKEN, "/data", "/run/alexa-oauth", check=False) == ""
        assert SUPERVISOR_TOKEN not in home.log()

    def test_a_folder_with_other_owners_is_made_its_own(self, home: AddOn) -> None:
        """As after a restore on another machine, or with what somebody laid there by hand."""
        home.remove()
        as_root("chown", "-R", "1234:1234", home.data)
        home.start()
        files = home.files()
        assert files.pop("options.json") == ("0", 0o600)
        assert {owner for owner, _ in files.values()} == {SERVER}

    def test_on_a_full_disk_it_runs_and_says_so(self, make_add_on: MakeAddOn) -> None:
        """A supervisor that asks for any answer leaves it running: a restart makes no room."""
        add_on = make_add_on()
        add_on.volume = "type=tmpfs,destination=/data,tmpfs-size=16384"
        add_on.create()
        add_on.wait_until(lambda: health_status(add_on.port) == 503, HEALTHY_SECONDS * 2)
        assert "disk full" in add_on.execute("alexa-oauth", "health", "--live")
        assert "disk full" in add_on.execute("alexa-oauth", "health", check=False)

    def test_it_needs_no_root_at_all_where_nobody_supervises_it(self, make_add_on: MakeAddOn) -> None:
        confined = ("--user", "896:896", "--cap-drop", "all", "--read-only", "--security-opt", "no-new-privileges")
        add_on = make_add_on(run_options=(*confined, "--entrypoint", "/run.sh"))
        del add_on.environment["SUPERVISOR_TOKEN"]
        as_root("chown", "896:896", add_on.data)
        add_on.start()
        add_on.wait_until(lambda: "pairing code" in add_on.log(), HEALTHY_SECONDS)
        assert add_on.stop()[0] == 0


class TestLink:
    async def test_it_outlives_the_container(self, home: AddOn, note: Note) -> None:
        async with Wire.to(home.url) as wire:
            skill = Skill(home, wire)
            links = [await skill.link() for _ in range(3)]
            links = [await skill.refresh(tokens) for tokens in links]
        for name, size in peak_of_memory(home).items():
            note(f"peak of memory, {name}", f"{size / 1_048_576:.0f} MB")
        home.remove()
        home.start()
        async with Wire.to(home.url) as wire:
            again = Skill(home, wire)
            assert again.secret == skill.secret
            assert [await again.is_good(tokens) for tokens in links] == [True] * 3
            for tokens in links:
                await again.refresh(tokens)

    async def test_nothing_secret_is_in_the_log(self, home: AddOn) -> None:
        home.environment["ALEXA_OAUTH_LOG_LEVEL"] = "debug"
        home.remove()
        home.start()
        async with Wire.to(home.url) as wire:
            skill = Skill(home, wire)
            pairing_code = skill.pairing_code()
            tokens = await skill.refresh(await skill.link(pairing_code))
        logged = home.log()
        assert "token.refreshed" in logged
        secrets = [skill.secret, pairing_code, home.read("encryption.key").strip(), SUPERVISOR_TOKEN]
        secrets += [tokens[name] for name in ("code", "access_token", "refresh_token")]
        assert [secret for secret in secrets if secret in logged or secret.replace("-", "") in logged] == []


class TestCrash:
    async def test_a_killed_server_is_back_within_seconds_and_forgot_nothing(self, home: AddOn, note: Note) -> None:
        async with Wire.to(home.url) as wire:
            skill = Skill(home, wire)
            tokens = await skill.link()
        took = []
        for _ in range(3):
            before = home.server_pid()
            home.kill_server()
            begun = time.monotonic()
            home.wait_until(lambda pid=before: home.server_pid() not in {-1, pid}, AGAIN_SECONDS)  # type: ignore[misc]
            home.wait_until_healthy()
            took.append(time.monotonic() - begun)
        note("from SIGKILL to health again", ", ".join(f"{seconds:.1f} s" for seconds in took))
        assert max(took) < AGAIN_SECONDS
        async with Wire.to(home.url) as wire:
            skill = Skill(home, wire)
            assert await skill.is_good(tokens)
            await skill.refresh(tokens)

    def test_one_that_crashes_over_and_over_ends_the_container(self, make_add_on: MakeAddOn, note: Note) -> None:
        add_on = make_add_on()
        with socket.create_server(("127.0.0.1", add_on.port)):
            begun = time.monotonic()
            add_on.create()
            status = add_on.wait_until_it_ends(CRASHED_SECONDS)
        note("from `run` to giving up after 5 crashes", f"{time.monotonic() - begun:.1f} s")
        assert status == 1
        assert add_on.log().count("is started again") == 4
        assert add_on.log().endswith("alexa-oauth: ended 5 times within 60 s, at last with status 1; the app stops\n")

    def test_the_fifth_kill_within_a_minute_is_the_last(self, home: AddOn) -> None:
        home.execute("sh", "-c", "read now _ </proc/uptime; for n in 1 2 3 4; do echo ${now%.*}; done >/run/alexa-oauth/crashes")
        home.kill_server()
        assert home.wait_until_it_ends(CRASHED_SECONDS) == 128 + 9

    def test_crashes_of_an_hour_ago_are_forgotten(self, home: AddOn) -> None:
        home.execute("sh", "-c", "for n in 1 2 3 4; do echo -3600; done >/run/alexa-oauth/crashes")
        home.kill_server()
        home.wait_until_healthy()
        assert len(home.execute("cat", "/run/alexa-oauth/crashes").splitlines()) == 1

    @pytest.mark.parametrize(
        ("options", "faults"),
        [
            ({"public_url": "http://music.example.org", "code_seconds": 5, "client_secret": "too-short"}, 3),
            ('{"public_url": ', 1),
        ],
    )
    def test_a_wrong_option_stops_it_at_once_with_a_line_for_each_fault(
        self, make_add_on: MakeAddOn, options: dict[str, object] | str, faults: int
    ) -> None:
        add_on = make_add_on(options)
        add_on.create()
        assert add_on.wait_until_it_ends(HEALTHY_SECONDS) == 78
        *told, last = add_on.log().splitlines()
        assert len(told) == faults
        assert all(line.startswith("alexa-oauth: ") and "; allowed: " in line for line in told)
        assert "too-short" not in add_on.log()
        assert last == "alexa-oauth: what stands above is cured by no restart; the app stops"


class TestEnd:
    def test_it_is_quick_and_in_order(self, home: AddOn, note: Note) -> None:
        status, seconds = home.stop()
        note("from `stop` to the end", f"{seconds:.1f} s")
        assert (status, home.log().count("Traceback")) == (0, 0)
        assert seconds < STOP_SECONDS
        assert "oauth.db-wal" not in home.files()

    async def test_what_was_asked_before_is_answered(self, home: AddOn) -> None:
        async with Wire.to(home.url) as wire:
            skill = Skill(home, wire)
            tokens = await skill.link()
            with somebody_writes(home):
                asked = asyncio.create_task(skill.refresh(tokens))
                await asyncio.sleep(0.1)
                stopping = asyncio.create_task(asyncio.to_thread(home.stop))
                await asyncio.to_thread(home.wait_until, lambda: health_status(home.port) is None, STOP_SECONDS)
                assert not asked.done()
            assert (await asked)["access_token"] != tokens["access_token"]
            status, seconds = await stopping
        assert (status, seconds < STOP_SECONDS) == (0, True)

    def test_the_container_can_be_started_again(self, home: AddOn) -> None:
        home.stop()
        home.engine.podman("start", home.container)
        home.wait_until_healthy()
