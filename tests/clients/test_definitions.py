import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexa_oauth.clients.definitions import FILE_BYTES, ClientDefinitions, ClientsFileRefused, built_in, parse
from alexa_oauth.protocol.alexa import redirect_uris_for
from alexa_oauth.protocol.credentials import secret_digest
from alexa_oauth.protocol.models import ClientType, PkceRule, RefreshProfile

VENDOR_ID = "M123456789ABCD"
ALEXA = built_in("amazon-alexa", (VENDOR_ID,), None)
PUBLIC: dict[str, Any] = {"client_type": "public", "redirect_uris": ["https://one.test/cb"]}
SECRET = "0123456789abcdef"
CONFIDENTIAL: dict[str, Any] = {"client_type": "confidential", "redirect_uris": ["https://one.test/cb"], "client_secret": SECRET}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@dataclass(frozen=True)
class FewSettings:
    clients_file: Path
    client_id: str = "amazon-alexa"
    client_secret: str | None = None
    vendor_ids: tuple[str, ...] = (VENDOR_ID,)


def clients_of(**entries: Mapping[str, object]) -> dict[str, Any]:
    return parse(json.dumps(entries).encode(), ALEXA)


def faults_of(content: str | bytes | Mapping[str, object]) -> tuple[str, ...]:
    text = json.dumps(content) if isinstance(content, Mapping) else content
    with pytest.raises(ClientsFileRefused) as refused:
        parse(text.encode() if isinstance(text, str) else text, ALEXA)
    assert all(fault.isprintable() for fault in refused.value.faults)
    return refused.value.faults


class TestBuiltIn:
    def test_it_is_what_the_developer_console_has_by_default(self) -> None:
        assert ALEXA.redirect_uris == (
            f"https://pitangui.amazon.com/api/skill/link/{VENDOR_ID}",
            f"https://layla.amazon.com/api/skill/link/{VENDOR_ID}",
            f"https://alexa.amazon.co.jp/api/skill/link/{VENDOR_ID}",
        )
        assert ALEXA.client_type is ClientType.CONFIDENTIAL
        assert ALEXA.refresh is RefreshProfile.OVERLAP
        assert not ALEXA.requires_pkce
        assert not ALEXA.introspect
        assert ALEXA.secret_digests == ()

    def test_without_a_vendor_id_no_link_can_begin(self) -> None:
        assert built_in("amazon-alexa", (), SECRET).redirect_uris == ()


class TestEntries:
    def test_a_public_client_needs_type_and_redirect_uris_alone(self) -> None:
        client = clients_of(one=PUBLIC)["one"]
        assert (client.name, client.scopes) == ("one", ("music.read", "music.control"))
        assert (client.pkce, client.refresh) == (PkceRule.REQUIRED, RefreshProfile.STRICT_WINDOW)
        assert (client.introspect, client.auto_approve, client.secret_digests) == (False, False, ())

    def test_every_key_is_taken_up(self) -> None:
        entry = {
            **PUBLIC,
            "client_type": "confidential",
            "name": "Küche",
            "client_secrets": [SECRET, SECRET[::-1]],
            "scopes": ["music.control"],
            "pkce": "required",
            "refresh": "strict",
            "introspect": True,
        }
        client = clients_of(one=entry)["one"]
        assert client.secret_digests == (secret_digest(SECRET), secret_digest(SECRET[::-1]))
        assert (client.name, client.scopes, client.pkce) == ("Küche", ("music.control",), PkceRule.REQUIRED)
        assert (client.refresh, client.introspect) == (RefreshProfile.STRICT, True)

    def test_of_either_type_a_client_of_alexa_alone_gets_the_profile_that_forgives_lost_answers(self) -> None:
        uris = list(redirect_uris_for([VENDOR_ID]))
        for entry in (PUBLIC, CONFIDENTIAL):
            assert clients_of(one={**entry, "redirect_uris": uris})["one"].refresh is RefreshProfile.OVERLAP
            mixed = {**entry, "redirect_uris": [*uris, "https://pitangui.amazon.com.evil.test/api/skill/link/M1"]}
            assert clients_of(one=mixed)["one"].refresh is RefreshProfile.STRICT_WINDOW

    def test_a_replacement_of_the_built_in_client_keeps_its_name_and_its_secret(self) -> None:
        ours = replace(ALEXA, secret_digests=(secret_digest(SECRET),))
        entry = {"client_type": "confidential", "redirect_uris": ["https://one.test/cb"]}
        replaced = parse(json.dumps({"amazon-alexa": entry}).encode(), ours)["amazon-alexa"]
        assert (replaced.name, replaced.secret_digests) == (ours.name, ours.secret_digests)
        assert parse(json.dumps({"amazon-alexa": PUBLIC}).encode(), ours)["amazon-alexa"].secret_digests == ()

    def test_a_self_test_client_may_approve_itself_on_loopback_alone(self) -> None:
        loopback = ["http://localhost:8080/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb"]
        assert clients_of(one={**PUBLIC, "redirect_uris": loopback, "auto_approve": True})["one"].auto_approve
        (fault,) = faults_of({"one": {**PUBLIC, "redirect_uris": [*loopback, "https://one.test/cb"], "auto_approve": True}})
        assert 'key "auto_approve"' in fault

    @pytest.mark.parametrize(
        "uri",
        [
            "https://one.test/cb#fragment",
            "https://*.one.test/cb",
            "https://one.test/*",
            "https://me:hunter2@one.test/cb",
            "https://one.test\\@two.test/cb",
            "https://one.test/c b",
            "https://one.test/cb\n",
            "https://one.test/\x00",
            "https://münchen.test/cb",
            "https://one.test/café",
            "http://one.test/cb",
            "http://localhost.one.test/cb",
            "http://127.0.0.1.one.test/cb",
            "http://127.0.0.1@one.test/cb",
            "https://one.test:0/cb",
            "https://one.test:99999/cb",
            "https://[::g]/cb",
            "https:///cb",
            "https:one.test/cb",
            "//one.test/cb",
            "/cb",
            "javascript:alert(1)",
            "com.example.app:/cb",
            "HTTPS://one.test/cb",
            "",
        ],
    )
    def test_b40_a_redirect_uri_that_could_lead_elsewhere_is_refused(self, uri: str) -> None:
        (fault,) = faults_of({"one": {**PUBLIC, "redirect_uris": ["https://good.test/cb", uri]}})
        assert 'client "one", key "redirect_uris": ' in fault
        assert "hunter2" not in fault
        assert "good.test" not in fault

    @pytest.mark.parametrize("uri", ["https://one.test", "https://one.test/cb?a=1&b=%20", "https://[2001:db8::1]:8443/@me;x"])
    def test_an_ordinary_redirect_uri_is_kept_byte_for_byte(self, uri: str) -> None:
        assert clients_of(one={**PUBLIC, "redirect_uris": [uri]})["one"].redirect_uris == (uri,)

    @pytest.mark.parametrize(
        ("key", "values"),
        [
            ("client_type", ["Public", None, 1, ["public"]]),
            ("redirect_uris", [[], "https://one.test/cb", [1], None, {}]),
            ("name", ["", " ", "a\nb", "\u202egnol", "x" * 101, 5]),
            ("client_secret", ["short", "x" * 15, "x" * 15 + "ä", "x" * 16 + "\n", None, 10**20]),
            ("client_secrets", [[], "x" * 16, ["x" * 16, "short"], [None]]),
            ("scopes", [[], ["music.write"], "music.read", [["music.read"]]]),
            ("pkce", ["S256", True, "optional"]),
            ("refresh", ["never", None]),
            ("introspect", ["true", 1, True]),
            ("auto_approve", ["false", 0, True]),
            ("redirect_uri", ["https://one.test/cb"]),
        ],
    )
    def test_a_wrong_value_is_one_line_that_names_client_and_key(self, key: str, values: list[object]) -> None:
        for value in values:
            (fault,) = faults_of({"one": {**PUBLIC, key: value}})
            assert fault.startswith(f'line 1: client "one", key "{key}": ')
            assert "; allowed: " in fault

    def test_a_secret_is_needed_once_and_a_weak_one_is_not_shown(self) -> None:
        without = {key: value for key, value in CONFIDENTIAL.items() if key != "client_secret"}
        assert 'has no "client_secret"' in faults_of({"one": without})[0]
        assert 'stands beside "client_secret"' in faults_of({"one": {**CONFIDENTIAL, "client_secrets": [SECRET]}})[0]
        assert "hunter2" not in faults_of({"one": {**CONFIDENTIAL, "client_secret": "hunter2"}})[0]

    def test_a_mistyped_key_is_met_with_a_guess(self) -> None:
        assert "(did you mean redirect_uris?)" in faults_of({"one": {**PUBLIC, "redirect_url": []}})[0]

    def test_an_entry_without_anything_lacks_both_of_its_needs(self) -> None:
        assert len(faults_of({"one": {}})) == 2
        assert "is not an object" in faults_of({"one": []})[0]
        assert "visible ASCII" in faults_of({"a b": PUBLIC})[0]


class TestWhereTheMistakeIs:
    CONTENT = """{
  "one": {
    "client_type": "secret",
    "redirect_uris": ["https://one.test/cb",
                      "http://one.test/cb"],
    "client_type":
      "public"
  },
  "two": {"client_type": "public", "redirect_uris": ["https://two.test/cb"],
    "pkce": "optional", "name": "}\\n{\\"pkce\\":"
  },
  "one": 5,
  "three": {}
}"""

    def test_every_fault_is_told_at_once_with_its_line_in_the_order_of_the_file(self) -> None:
        found = [fault.partition("; ")[0] for fault in faults_of(self.CONTENT)]
        assert found == [
            'line 4: client "one", key "redirect_uris": "http://one.test/cb" is not https',
            'line 6: client "one", key "client_type": stands in the entry before',
            'line 10: client "two", key "name": is not a name',
            'line 10: client "two", key "pkce": is optional for a public client, whose codes nothing else protects',
            'line 12: client "one": is not an object',
            'line 12: client "one": stands in the file before',
            'line 13: client "three": has no "client_type"',
            'line 13: client "three": has no "redirect_uris"',
        ]

    @pytest.mark.parametrize(
        ("content", "begin"),
        [
            ('{\n "one": {,}\n}', "line 2, column 10: is not JSON: "),
            ("", "line 1, column 1: is not JSON: "),
            (b'{\n "one": "\xff"}', "line 2: is not UTF-8"),
            ("[]", "line 1: is not an object"),
            ("1" * 5_000, "line 1: holds a number that is too long"),
            ("[" * 100_000, "line 1: holds a number that is too long, or is nested too deeply"),
            (b" " * (FILE_BYTES + 1), "line 1: is too long"),
        ],
        ids=["json", "empty", "utf-8", "list", "number", "depth", "length"],
    )
    def test_what_is_no_json_object_is_one_fault_with_its_place(self, content: str | bytes, begin: str) -> None:
        (fault,) = faults_of(content)
        assert fault.startswith(begin)

    def test_a_file_as_windows_editors_save_it_is_read(self) -> None:
        assert "one" in parse(b"\xef\xbb\xbf" + json.dumps({"one": PUBLIC}, indent=1).replace("\n", "\r\n").encode(), ALEXA)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(), lambda it: st.lists(it) | st.dictionaries(st.text(), it)
        )
    )
    def test_whatever_json_stands_there_it_is_read_or_refused_in_words(self, value: object) -> None:
        for content in (value, {"one": value}, {"one": {"redirect_uris": value, "name": value, "scopes": [value]}}):
            try:
                parse(json.dumps(content, indent=1).encode(), ALEXA)
            except ClientsFileRefused as refused:
                assert all(fault.isprintable() and fault.startswith("line ") for fault in refused.faults)  # noqa: PT017


class TestDefinitions:
    @pytest.fixture
    def settings(self, tmp_path: Path) -> FewSettings:
        return FewSettings(tmp_path / "oauth_clients.json")

    def test_without_a_file_there_is_the_built_in_client(self, settings: FewSettings) -> None:
        assert dict(ClientDefinitions(settings).definitions()) == {"amazon-alexa": ALEXA}

    def test_entries_stand_beside_the_built_in_client_or_replace_it(self, settings: FewSettings) -> None:
        settings.clients_file.write_text(json.dumps({"one": PUBLIC}))
        assert set(ClientDefinitions(settings).definitions()) == {"amazon-alexa", "one"}
        settings.clients_file.write_text(json.dumps({"amazon-alexa": PUBLIC}))
        assert ClientDefinitions(settings).definitions()["amazon-alexa"].is_public

    def test_a_broken_file_is_a_fault_of_the_start_with_its_path(self, settings: FewSettings) -> None:
        settings.clients_file.write_text("{")
        with pytest.raises(ClientsFileRefused) as refused:
            ClientDefinitions(settings)
        assert refused.value.faults[0].startswith(f"{settings.clients_file}, line 1, column 2: is not JSON")

    def test_a_file_that_cannot_be_read_is_a_fault_too(self, settings: FewSettings) -> None:
        settings.clients_file.mkdir()
        with pytest.raises(ClientsFileRefused, match="cannot be read"):
            ClientDefinitions(settings)

    def test_a_changed_file_is_read_again_and_a_broken_one_leaves_the_clients_as_they_were(self, settings: FewSettings) -> None:
        definitions = ClientDefinitions(settings)
        assert definitions.reload_if_changed() == ()
        settings.clients_file.write_text(json.dumps({"one": PUBLIC}))
        assert definitions.reload_if_changed() == ()
        assert "one" in definitions.definitions()
        settings.clients_file.write_text(json.dumps({"two": {}}))
        assert len(definitions.reload_if_changed()) == 2
        assert set(definitions.definitions()) == {"amazon-alexa", "one"}
        assert definitions.reload_if_changed() == ()
        settings.clients_file.unlink()
        assert definitions.reload_if_changed() == ()
        assert set(definitions.definitions()) == {"amazon-alexa"}

    def test_a_file_that_could_not_be_read_for_a_moment_is_read_as_soon_as_it_can_be(
        self, settings: FewSettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The process had no file descriptor left; the file itself does not change when there is one again."""
        definitions = ClientDefinitions(settings)
        settings.clients_file.write_text(json.dumps({"one": PUBLIC}))
        with monkeypatch.context() as exhausted:
            exhausted.setattr(Path, "open", _without_descriptors)
            assert "Too many open files" in definitions.reload_if_changed()[0]
            assert definitions.reload_if_changed() == (), "told once"
        assert set(definitions.definitions()) == {"amazon-alexa"}
        assert definitions.reload_if_changed() == ()
        assert set(definitions.definitions()) == {"amazon-alexa", "one"}

    def test_a_file_put_in_place_of_another_with_the_same_time_and_size_is_seen(self, settings: FewSettings) -> None:
        settings.clients_file.write_text(json.dumps({"one": PUBLIC}))
        definitions = ClientDefinitions(settings)
        status = settings.clients_file.stat()
        other = settings.clients_file.with_suffix(".new")
        other.write_text(json.dumps({"two": PUBLIC}))
        os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
        other.replace(settings.clients_file)
        definitions.reload_if_changed()
        assert set(definitions.definitions()) == {"amazon-alexa", "two"}

    def test_an_unchanged_file_is_not_read_again(self, settings: FewSettings) -> None:
        settings.clients_file.write_text(json.dumps({"one": PUBLIC}))
        definitions = ClientDefinitions(settings)
        before = definitions.definitions()
        definitions.reload_if_changed()
        assert definitions.definitions() is before


def _without_descriptors(*_: object) -> NoReturn:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
