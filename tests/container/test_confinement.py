"""What the add-on opens and executes, from its start to its end, held against what its AppArmor profile permits.

No kernel here enforces the profile. What it would have refused, the trace shows.
"""

import copy
from collections.abc import Iterable, Iterator
from typing import Final

import pytest

from tests.container.addon import TWO_PROCESSORS, AddOn
from tests.container.apparmor import Profile, read_profile
from tests.container.conftest import MakeAddOn, Note
from tests.container.engine import ROOT, run
from tests.container.skill import NOBODY_AT_HOME, OPTIONS, PASSPHRASE, Skill
from tests.container.system_calls import SYSTEM_CALLS, Step, read_trace
from tests.durability.wire import Wire

pytestmark = pytest.mark.container

TRACING: Final = ("-f", "-y", "-s", "4096", "-e", f"trace={','.join(SYSTEM_CALLS)}", "-e", "signal=none")
START: Final = "/run/trace-of-the-start"
COMMAND: Final = "/run/trace-of-a-command"
OURS: Final = ("/etc/s6-overlay/scripts/prepare", "/run/service/alexa-oauth/run", "/run/service/alexa-oauth/finish")
"""Where the stand-in for s6-overlay ends: what it does before, the real one does otherwise."""
PYTHON: Final = "/usr/bin/python3.13"

COMMANDS: Final = (
    *("links", "health", "client new-secret", "doctor", "key rotate", "backup --copy"),
    *("backup /data/before.backup", "restore --yes /data/before.backup"),
)

NEEDED_ELSEWHERE: Final = {
    "/run/alexa-oauth/keyfile": "r",
    "/etc/resolv.conf": "r",
    "/etc/hosts": "r",
    "/usr/share/zoneinfo/Asia/Kolkata": "r",
    "/dev/pts/0": "rw",
}
"""What only some households come by: their own certificate, a look-up of names, another time zone, a terminal."""


@pytest.fixture(scope="module")
def profile() -> Profile:
    return read_profile(ROOT / "apparmor.txt")


@pytest.fixture
def add_on(make_add_on: MakeAddOn) -> AddOn:
    """An add-on whose process 1 is traced; the tracer steps aside, so that it stays process 1."""
    add_on = make_add_on(OPTIONS)
    entry = '["/usr/bin/strace", "-D", "-o", "' + START + '", ' + ", ".join(f'"{word}"' for word in TRACING) + ', "/init"]'
    add_on.run_options = ("--cap-add", "sys_ptrace", "--entrypoint", entry, *TWO_PROCESSORS, *NOBODY_AT_HOME)
    add_on.environment["ALEXA_OAUTH_BACKUP_PASSPHRASE"] = PASSPHRASE
    # Somebody answers there, so that the doctor gets as far as to ask whom this machine trusts.
    add_on.environment["ALEXA_OAUTH_PUBLIC_URL"] = f"https://music.example.org:{add_on.port}"
    add_on.start()
    return add_on


def violations(steps: Iterable[Step], supervision: Profile, links: dict[str, str]) -> Iterator[str]:
    """What the profile does not permit. `links` leads from the name of a program to the file that it is."""
    profiles: dict[int, Profile] = {}
    for step in steps:
        if step.call == "execve" and (step.paths[0] in OURS or step.paths[0].endswith("/alexa-oauth")):
            profiles.setdefault(step.pid, supervision)
        current = profiles.get(step.pid)
        if current is None:
            continue
        if step.born is not None:
            profiles[step.born] = current
        elif step.call == "execve":
            file = links[step.paths[0]]
            after = current.after_executing(file)
            if after is None:
                yield f"{current.name} executes {file}"
            profiles[step.pid] = after or current
        elif step.socket and step.socket[0] != "unix" and step.socket not in current.networks:
            yield f"{current.name} opens a socket of {step.socket}"
        else:
            yield from (
                f"{current.name} {step.call} {path} {step.access}"
                for path in step.paths
                if not current.permits(path, step.access)
            )


def resolved(add_on: AddOn, steps: list[Step]) -> dict[str, str]:
    """Each program that was executed, and the file that its name leads to."""
    names = sorted({step.paths[0] for step in steps if step.call == "execve"})
    return dict(zip(names, add_on.execute("realpath", "--canonicalize-missing", *names).splitlines(), strict=True))


async def test_it_does_nothing_that_its_profile_forbids(add_on: AddOn, profile: Profile, note: Note) -> None:
    async with Wire.to(add_on.url) as wire:
        skill = Skill(add_on, wire)
        await skill.refresh(await skill.link())
    add_on.kill_server()
    add_on.wait_until(lambda: add_on.log().count("/health") > 1, seconds=20)
    add_on.wait_until_healthy()
    for command in COMMANDS:
        traced = ("strace", *TRACING, "--output-append-mode", "-o", COMMAND, "alexa-oauth", *command.split())
        add_on.execute(*traced, check=command != "doctor")
    add_on.wait_until(lambda: "backup.restored" in add_on.log(), seconds=20)
    steps = list(read_trace(add_on.execute("cat", START) + add_on.execute("cat", COMMAND)))
    links = resolved(add_on, steps)
    note("files and programs held against the profile", str(len({step.paths for step in steps if step.paths})))

    assert sorted(set(violations(steps, profile, links))) == []
    assert PYTHON in links.values()
    _see_that_it_would_have_been_seen(steps, profile, links)


def _see_that_it_would_have_been_seen(steps: list[Step], profile: Profile, links: dict[str, str]) -> None:
    """Each right that the server lives by, taken away in turn, is missed."""
    for lost, missed in (
        ("/data/oauth.db", "server openat /data/oauth.db rw"),
        ("/run/alexa-oauth/options.json", "server openat /run/alexa-oauth/options.json r"),
        ("/etc/ssl/certs/ca-certificates.crt", "server openat /etc/ssl/certs/ca-certificates.crt r"),
    ):
        poorer = copy.deepcopy(profile)
        server = poorer.children["server"]
        server.rules = [rule for rule in server.rules if not rule.pattern.fullmatch(lost)]
        assert missed in set(violations(steps, poorer, links))
    poorer = copy.deepcopy(profile)
    poorer.children["server"].networks.clear()
    assert "server opens a socket of ('inet', 'stream')" in set(violations(steps, poorer, links))


@pytest.mark.parametrize(("path", "access"), NEEDED_ELSEWHERE.items())
def test_what_other_households_need_is_permitted(profile: Profile, path: str, access: str) -> None:
    assert profile.children["server"].permits(path, access)


def test_names_of_the_internet_can_be_looked_up_and_called(profile: Profile) -> None:
    """A resolver asks over UDP; which of a name's addresses this machine can reach, the kernel tells over netlink."""
    needed = {(family, kind) for family in ("inet", "inet6") for kind in ("stream", "dgram")} | {("netlink", "raw")}
    assert profile.children["server"].networks >= needed


@pytest.mark.parametrize(
    "path", ["/etc/shadow", "/etc/passwd-", "/root/.bashrc", "/proc/1/environ", "/run/s6/db", "/ssl/privkey.pem"]
)
def test_what_the_server_has_no_business_with_is_not(profile: Profile, path: str) -> None:
    server = profile.children["server"]
    assert not server.permits(path, "r")
    assert server.after_executing("/usr/bin/bash") is None
    assert not any(server.permits(place, "w") for place in ("/opt/alexa-oauth/src/alexa_oauth/app.py", "/run.sh", "/etc/x"))


def test_the_profile_compiles() -> None:
    compiled = run("apparmor_parser", "--skip-kernel-load", "--skip-cache", ROOT / "apparmor.txt", check=False)
    assert compiled.returncode == 0, compiled.stderr
