"""`doctor` on the command line: what it prints, how it ends, and what a report for a bug tracker leaves out."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass

import pytest

from alexa_oauth.cli import main
from alexa_oauth.diagnosis.causes import CATALOGUE
from tests.cli.conftest import Home, Ran, Run
from tests.diagnosis.conftest import authority, household
from tests.diagnosis.households import IPV4, Household, World
from tests.proxy.proxies import HOME
from tests.rig import ALEXA_VENDOR, SECRETS

pytestmark = pytest.mark.proxy

__all__ = ["authority", "household"]

LOG_LINE = re.compile(r"^20\d\d-.*\n", re.MULTILINE)
"""The household's server writes its log to the same place, since it is of the same process."""
TELLING = f'default_type text/html; return 403 "Hello Anna Example of {HOME}, you come from 203.0.113.9 and 2001:db8::7";'


@dataclass
class Patient:
    """A household, and the command run beside its server."""

    household: Household
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    async def run(self, world: World, *arguments: str) -> Ran:
        settings = self.household.rig.server.settings
        values = {
            "data_dir": str(settings.data_dir),
            "port": str(self.household.port),
            "public_url": f"https://{HOME}",
            "vendor_ids": ALEXA_VENDOR,
            "refresh_token_days": "180",
        }
        for name, value in values.items():
            self.monkeypatch.setenv(f"ALEXA_OAUTH_{name.upper()}", value)
        self.monkeypatch.setattr("alexa_oauth.cli.doctor.outside", world.outside)
        status = await asyncio.to_thread(main, ["doctor", *arguments])
        told = self.capsys.readouterr()
        return Ran(status, LOG_LINE.sub("", told.out), told.err)


@pytest.fixture
def patient(household: Household, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Patient:
    return Patient(household, monkeypatch, capsys)


async def test_nothing_fails(patient: Patient) -> None:
    ran = await patient.run(await patient.household.behind())
    assert ran.status == 0, ran.out
    assert "0 fail, 0 warn" in ran.out
    assert f"pass  {HOME} leads to {IPV4}." in ran.out
    assert "calling https://music.example.org as Amazon does" in ran.err
    assert "nginx" not in ran.out


async def test_a_fault_is_told_last_with_its_fix_and_on_request_with_what_it_rests_on(patient: Patient) -> None:
    world = await patient.household.behind("return 403;")
    ran = await patient.run(world)
    assert ran.status == 1
    *_, fault, fix, empty, counted, _hint = ran.out.splitlines()
    assert fault.startswith("fail  A wall stands in front: What calls itself 'nginx/")
    assert fix.startswith("      → Let the paths")
    assert (empty, counted.partition(",")[0]) == ("", "1 fail")
    told = (await patient.run(world, "--verbose")).out
    assert "      status: 403\n" in told
    assert f"      answered by: {IPV4}\n" in told
    assert "      body begins: <html>\\r\\n<head><title>403 Forbidden" in told


async def test_for_programs(patient: Patient) -> None:
    ran = await patient.run(await patient.household.behind("return 403;"), "--json")
    told = json.loads(ran.out)
    assert [finding["cause"] for finding in told["findings"]] == [*CATALOGUE]
    (failing,) = [finding for finding in told["findings"] if finding["verdict"] == "fail"]
    assert failing.keys() == {"cause", "title", "verdict", "sentence", "fix", "evidence"}
    assert {"label": "status", "value": "403"} in failing["evidence"]
    assert {finding["verdict"] for finding in told["findings"]} == {"pass", "fail", "not_testable"}


@pytest.mark.parametrize(
    "directives", ["", TELLING, "return 301 https://www.example.org/alexa/token;", "return 302 https://sso.anna.test/;"]
)
async def test_a_report_tells_nothing_of_whose_household_it_is(patient: Patient, directives: str) -> None:
    await patient.household.rig.link()
    ran = await patient.run(await patient.household.behind(directives), "--report")
    assert "### alexa-oauth doctor" in ran.out
    assert "(address: public)" in ran.out
    rig = patient.household.rig
    made = rig.store.read(lambda tx: tx.clients.show_secret("amazon-alexa"))
    secrets = {*SECRETS.values(), made, str(rig.server.settings.data_dir), ALEXA_VENDOR, "local"}
    private = {"example", "anna", "Anna", "203.0.113.9", "2001:db8::7", IPV4, "127.0.0.1"}
    assert {word for word in secrets | private if word is not None and word in ran.out} == set()
    assert ("**fail** access_wall" in ran.out) == ("403" in directives or "sso" in directives)


def test_a_damaged_row_is_told_as_that_and_not_as_a_database_that_cannot_be_used(run: Run, home: Home) -> None:
    home.add_links("a" * 16, "b" * 16)
    with closing(sqlite3.connect(home.folder / "oauth.db")) as database, database:
        database.execute("UPDATE grants SET payload = (SELECT payload FROM grants WHERE grant_id LIKE 'a%')")
    ran = run("doctor")
    assert ran.status == 1
    assert "fail  A stored row is damaged: A payload in grants belongs to another row" in ran.out
    assert "The database cannot be used" not in ran.out


def test_a_database_with_another_key_is_told_as_that(run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.folder.is_dir()
    monkeypatch.setenv("OAUTH_ENCRYPTION_KEY", "A" * 43 + "=")
    ran = run("doctor")
    assert ran.status == 1
    assert "fail  The database cannot be used" in ran.out
    assert "problem: wrong encryption key" in ran.out
    assert "fail  The server does not run" not in ran.out, "it is told once"


def test_a_mistake_in_the_clients_file_is_told_with_its_line(run: Run, home: Home) -> None:
    (home.folder / "oauth_clients.json").write_text('{"a": 1}')
    ran = run("doctor")
    assert "fail  The file of clients has a mistake" in ran.out
    assert "oauth_clients.json, line 1: " in ran.out
    assert "line 1: " not in run("doctor", "--report").out, "it may name somebody"


def test_before_the_first_start(run: Run) -> None:
    ran = run("doctor")
    assert ran.status == 1
    assert "There is no database yet" in ran.out
    assert "fail  The server does not run" in ran.out
    assert "fail  No public address" in ran.out
    assert "database cannot be used:" not in ran.out
    (asking,) = [part for part in ran.out.split("not testable here: ") if part.startswith("It does not show here")]
    assert "A country rule" in asking
    assert "The disk is nearly full" not in asking, "that shows here, once there is a folder"
