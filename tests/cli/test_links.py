import io
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.cli.conftest import LINK, Home, Run
from tests.rig import NOW

DAY = 86_400


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def living(run: Run) -> list[str]:
    return [link["id"] for link in json.loads(run("links", "--json").out)]


class TestLinks:
    @pytest.mark.usefixtures("home")
    def test_nobody_has_linked_yet(self, run: Run) -> None:
        assert run("links", "--json").out == "[]\n"
        assert run("links").out.startswith("No links yet. Enable the skill in the Alexa app")

    def test_a_program_gets_exactly_these_fields(self, run: Run, home: Home) -> None:
        home.add_links(LINK.grant_id)
        assert json.loads(run("links", "--json").out) == [
            {
                "id": LINK.grant_id,
                "subject": "local",
                "client_id": "amazon-alexa",
                "scope": "music.read music.control",
                "created_at": NOW,
                "last_used_at": NOW,
                "expires_at": NOW + 90 * DAY,
            }
        ]

    def test_a_person_gets_a_table_in_local_time(self, run: Run, home: Home) -> None:
        home.add_links(LINK.grant_id)
        heading, row = run("links").out.splitlines()
        assert heading.split("  ")[0] == "LINK"
        assert row.split() == [
            *(LINK.grant_id, "local", "amazon-alexa", "music.read", "music.control"),
            *("2027-01-15", "13:30:00", "2027-01-15", "13:30:00", "2027-04-15", "13:30:00"),
        ]

    @pytest.mark.parametrize(
        ("days", "ends"),
        [("0", (None, None)), ("0", (NOW + 60, NOW + 60)), ("7", (NOW + 30 * DAY, NOW + 7 * DAY)), ("7", (NOW + 60, NOW + 60))],
    )
    def test_a_link_ends_by_disuse_or_at_its_fixed_end(
        self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch, days: str, ends: tuple[int | None, int | None]
    ) -> None:
        ends_at, expires_at = ends
        monkeypatch.setenv("ALEXA_OAUTH_REFRESH_TOKEN_DAYS", days)
        home.write(lambda tx: tx.grants.add(replace(LINK, ends_at=ends_at)))
        assert json.loads(run("links", "--json").out)[0]["expires_at"] == expires_at


class TestRevoke:
    def test_the_beginning_of_an_id_is_enough(self, run: Run, home: Home) -> None:
        home.add_links("aa" * 8, "ab" * 8)
        ran = run("revoke", "ab")
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.startswith("1 link was revoked.")
        assert living(run) == ["aa" * 8]

    @pytest.mark.parametrize(("beginning", "why"), [("a", "could be abab"), ("c", "there is no link 'c'"), ("", "no link ''")])
    def test_what_names_no_link_or_several_changes_nothing(self, run: Run, home: Home, beginning: str, why: str) -> None:
        home.add_links("aa" * 8, "ab" * 8)
        ran = run("revoke", beginning)
        assert (ran.status, ran.out, len(ran.err.splitlines())) == (1, "", 1)
        assert why in ran.err
        assert len(living(run)) == 2

    def test_it_stands_in_the_audit_trail_who_did_it(self, run: Run, home: Home) -> None:
        home.add_links(LINK.grant_id)
        run("revoke", LINK.grant_id)
        (event,) = json.loads(run("audit", "--json", "--link", LINK.grant_id).out)
        assert (event["event"], event["reason"]) == ("grant.ended", "revoked_by_operator")

    def test_all_is_not_done_unasked(self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        home.add_links("aa" * 8, "ab" * 8)
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
        ran = run("revoke", "--all")
        assert (ran.status, ran.out) == (1, "")
        assert "--yes" in ran.err
        assert len(living(run)) == 2

    @pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("Yes\n", 0), ("n\n", 2), ("\n", 2), ("", 2)])
    def test_all_is_asked_at_a_terminal(
        self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
    ) -> None:
        home.add_links("aa" * 8, "ab" * 8)
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        assert run("revoke", "--all").status == (1 if left else 0)
        assert len(living(run)) == left

    def test_all_without_a_question(self, run: Run, home: Home) -> None:
        assert run("revoke", "--all", "--yes").out == "There is no link to revoke.\n"
        home.add_links("aa" * 8, "ab" * 8)
        assert run("revoke", "--all", "--yes").out.startswith("2 links were revoked.")
        assert living(run) == []

    def test_a_link_that_ended_meanwhile_is_not_ended_twice(self, run: Run, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        home.add_links("aa" * 8)

        def revoked_elsewhere(_count: int) -> bool:
            home.write(lambda tx: tx.grants.end(LINK if (found := tx.grants.find("aa" * 8)) is None else found))
            return True

        monkeypatch.setattr("alexa_oauth.cli.links._confirmed", revoked_elsewhere)
        assert run("revoke", "--all").out.startswith("0 links were revoked.")
        events: list[Any] = json.loads(run("audit", "--json").out)
        assert events == []
