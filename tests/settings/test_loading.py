import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from alexa_oauth.settings import table
from alexa_oauth.settings.loading import SettingsRefused, load
from alexa_oauth.settings.table import SETTINGS, Settings

KEY = "A" * 43 + "="


def faults_of(options: Mapping[str, object], **environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsRefused) as refused:
        load(environ, options)
    return refused.value.faults


def test_without_any_setting_the_server_is_reachable_from_this_machine_alone() -> None:
    loaded = load({}, {})
    settings = loaded.settings
    assert (settings.host, settings.port, settings.admin_host, settings.admin_port) == ("127.0.0.1", 8096, "127.0.0.1", 8099)
    assert settings.public_url is None
    assert settings.sign_in == "pairing_code"
    assert not settings.self_test
    assert settings.trusted_proxies == ()
    assert settings.clients_file == Path("data/oauth_clients.json")
    assert loaded.warnings == ()


def test_environment_beats_options_and_options_beat_defaults() -> None:
    loaded = load({"ALEXA_OAUTH_PORT": "1", "ALEXA_OAUTH_HOST": ""}, {"port": 2, "admin_port": 3, "host": "0.0.0.0"})  # noqa: S104
    assert (loaded.settings.port, loaded.settings.admin_port, loaded.settings.host) == (1, 3, "0.0.0.0")  # noqa: S104
    assert loaded.settings.code_seconds == 300


def test_what_is_empty_counts_as_not_set_as_compose_files_and_option_pages_leave_it() -> None:
    assert load({"ALEXA_OAUTH_PUBLIC_URL": ""}, {"public_url": None, "client_secret": "", "vendor_ids": []}) == load({}, {})


def test_a_secret_comes_from_a_file_without_its_last_newline(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"0123456789abcdef\r\n")
    assert load({"ALEXA_OAUTH_CLIENT_SECRET_FILE": str(file)}, {}).settings.client_secret == "0123456789abcdef"


def test_a_value_and_a_file_for_it_contradict_one_another(tmp_path: Path) -> None:
    names = {"ALEXA_OAUTH_ENCRYPTION_KEY": KEY, "OAUTH_ENCRYPTION_KEY_FILE": str(tmp_path)}
    (fault,) = faults_of({}, **names)
    assert fault.startswith("encryption_key: it is given more than once")
    assert all(name in fault for name in names)


def test_a_file_that_cannot_be_read_is_a_fault_of_its_setting(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    environ = {
        "ALEXA_OAUTH_CLIENT_SECRET_FILE": str(tmp_path / "none"),
        "ALEXA_OAUTH_METRICS_TOKEN_FILE": str(tmp_path / "binary"),
    }
    missing, binary = faults_of({}, **environ)
    assert missing.startswith("client_secret: ALEXA_OAUTH_CLIENT_SECRET_FILE names a file that cannot be read (No such file")
    assert binary.startswith("metrics_token: ")


def test_the_other_name_of_the_encryption_key_is_understood() -> None:
    assert load({"OAUTH_ENCRYPTION_KEY": KEY}, {}).settings.encryption_key == KEY


def test_the_clients_file_is_a_setting_and_not_the_file_of_another_one() -> None:
    loaded = load({"ALEXA_OAUTH_CLIENTS_FILE": "/etc/clients.json", "ALEXA_OAUTH_DATA_DIR": "/var/lib/x"}, {})
    assert loaded.settings.clients_file == Path("/etc/clients.json")
    assert loaded.warnings == ()
    assert load({"ALEXA_OAUTH_DATA_DIR": "/var/lib/x"}, {}).settings.clients_file == Path("/var/lib/x/oauth_clients.json")


def test_all_faults_are_told_at_once_one_line_each_with_what_is_allowed() -> None:
    faults = faults_of({"port": "80960", "public_url": "http://example.org", "code_seconds": 5}, ALEXA_OAUTH_LOG_LEVEL="a\nb")
    assert [fault.partition(":")[0] for fault in faults] == ["port", "public_url", "code_seconds", "log_level"]
    assert all(re.fullmatch(r"[a-z_]+: .+; allowed: .+", fault) for fault in faults)
    assert faults[0] == 'port: "80960" is out of range; allowed: 0 to 65535'


@pytest.mark.parametrize("secret", [setting for setting in SETTINGS if setting.secret], ids=lambda setting: setting.name)
def test_o05_a_secret_is_shown_neither_by_a_fault_nor_by_repr(secret: table.Setting) -> None:
    (fault,) = faults_of({secret.name: "hunter2 "})
    assert "hunter2" not in fault
    good = KEY if secret.name == "encryption_key" else "hunter2-hunter2-hunter2"
    loaded = load({}, {secret.name: good, "home_assistant_url": "https://home.example.org"})
    assert getattr(loaded.settings, secret.name) == good
    assert good not in repr(loaded)


def test_every_setting_whose_name_sounds_secret_is_one() -> None:
    named = {setting.name for setting in SETTINGS if re.search("secret|token$|key$", setting.name)}
    assert {setting.name for setting in SETTINGS if setting.secret} == named


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Music.Example.ORG/", "https://music.example.org"),
        ("HTTPS://music.example.org:443", "https://music.example.org"),
        ("https://music.example.org:8443", "https://music.example.org:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("http://127.0.0.1:8096", "http://127.0.0.1:8096"),
        ("http://localhost:80/", "http://localhost"),
        ("http://[::1]:1", "http://[::1]:1"),
    ],
)
def test_public_url_has_one_spelling_because_it_is_the_issuer(given: str, kept: str) -> None:
    assert load({"ALEXA_OAUTH_PUBLIC_URL": given}, {}).settings.public_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "http://music.example.org",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "https://music.example.org/alexa",
        "https://music.example.org//",
        "https://music.example.org?x",
        "https://music.example.org#x",
        "https://me@music.example.org",
        "https://music.example.org:0",
        "https://music.example.org:65536",
        "https://münchen.example",
        "https://music.example.org\n.evil.example",
        "https://-music.example.org",
        "https://300.1.1.1",
        "https://[::g]",
        "https://[1.2.3.4",
        "https://",
        "music.example.org",
        "ftp://music.example.org",
    ],
)
def test_public_url_is_an_https_origin_and_nothing_else(given: str) -> None:
    (fault,) = faults_of({"public_url": given})
    assert fault.startswith("public_url: ")


def test_a_password_or_a_key_in_a_url_is_not_repeated_in_its_fault() -> None:
    for fault in faults_of({"public_url": "https://me:hunter2@host", "home_assistant_url": "http://host/?token=hunter2"}):
        assert "hunter2" not in fault


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("port", ["0", "65535", 1], ["-1", "65536", "8o96", True, 1.5, "٣"]),
        ("code_seconds", [30, 600], [29, 601, 0]),
        ("access_token_seconds", [360, 3600], [359, 3601, 0]),
        ("refresh_token_days", [0, 7, 3650], [1, 6, 3651]),
        ("self_test", [True, 0, "Yes", "off"], [2, "maybe", 1.0, [True]]),
        ("host", ["0.0.0.0", "::", "localhost"], ["[::1]", "a b", "127.0.0.1:80", "http://x"]),  # noqa: S104
        ("client_id", ["amazon-alexa", "https://x/"], ["a b", "ä", "a\n", 5]),
        ("client_secret", ["x" * 16], ["x" * 15, "x" * 15 + "ä", "x" * 15 + "\n", 10**16]),
        ("encryption_key", [KEY], ["A" * 44, "A" * 42 + "=", "A" * 42 + "/="]),
        ("vendor_ids", ["M123456789ABC", ["M123456789ABCD"]], ["m123456789abc", "M12", "M123456789AB\u0661", [1]]),
        ("approvers", ["admins", "everyone", "ab12,cd34"], ["admins,ab12", ","]),
        ("log_format", ["json"], ["JSON", "xml"]),
        ("amazon_region", ["eu"], ["us"]),
        ("data_dir", ["x"], ["\0", 5]),
    ],
)
def test_values_at_the_edge_are_read_and_those_beyond_it_refused(name: str, good: list[object], bad: list[object]) -> None:
    for value in good:
        load({}, {name: value})
    for value in bad:
        (fault,) = faults_of({name: value})
        assert fault.startswith(f"{name}: ")


def test_trusted_proxies_are_addresses_and_networks_with_commas_or_a_list() -> None:
    expected = load({"ALEXA_OAUTH_TRUSTED_PROXIES": "172.30.33.0/24, ::1,"}, {}).settings.trusted_proxies
    assert [str(network) for network in expected] == ["172.30.33.0/24", "::1/128"]
    assert load({}, {"trusted_proxies": ["172.30.33.0/24", "::1"]}).settings.trusted_proxies == expected
    for bad in ("proxy.example.org", "10.0.0.1/24", "10.0.0.0/33"):
        assert bad in faults_of({"trusted_proxies": f"127.0.0.1,{bad}"})[0]


def test_a_sign_in_that_does_not_exist_is_refused() -> None:
    (unknown,) = faults_of({"sign_in": "passwort"})
    assert unknown == f'sign_in: "passwort" is not known; allowed: {", ".join(table.BUILT_SIGN_INS)}'


def test_sign_in_with_home_assistant_needs_the_addresses_that_browsers_reach() -> None:
    public, home = faults_of({"sign_in": "home_assistant"})
    assert public == "public_url: it is not set; allowed: the address that browsers reach, since sign_in is home_assistant"
    assert home.startswith("home_assistant_url: it is not set")
    addresses = {"public_url": "https://music.example.org", "home_assistant_url": "https://home.example.org"}
    assert load({}, {"sign_in": "home_assistant", **addresses}).warnings == ()


def test_passwords_are_checked_in_the_add_on_alone_and_that_two_factor_is_not_asked_is_said() -> None:
    (outside,) = faults_of({"sign_in": "password"})
    assert outside == (
        'sign_in: "password" works in the add-on alone, where Home Assistant checks passwords; '
        "allowed: pairing_code, home_assistant, amazon"
    )
    add_on = {"SUPERVISOR_TOKEN": "of this start"}
    (warning,) = load(add_on, {"sign_in": "password"}).warnings
    assert "two-factor is not asked for" in warning
    (fault,) = faults_of({"sign_in": "password", "approvers": ["0123456789abcdef"]}, **add_on)
    assert fault == "approvers: it names user ids, and sign_in password learns of none; allowed: everyone"


def test_sign_in_with_amazon_needs_a_security_profile_and_knows_a_user_id_when_it_sees_one() -> None:
    public, client_id, client_secret = faults_of({"sign_in": "amazon"})
    assert public.startswith("public_url: it is not set; allowed: the address that browsers reach")
    assert client_id.startswith("amazon_client_id: it is not set; allowed: the client id of a Login with Amazon security profile")
    assert client_secret.startswith("amazon_client_secret: it is not set")
    profile = {"amazon_client_id": "amzn1.application-oa2-client.0", "amazon_client_secret": "amzn1.oa2-cs.v1.0123456789"}
    options = {"sign_in": "amazon", "public_url": "https://music.example.org", **profile}
    assert load({}, options).warnings == ()
    (fault,) = faults_of({**options, "amazon_allowed": ["anna@example.org"]})
    assert fault.startswith("amazon_allowed: ")
    assert "holds 'anna@example.org', which is no user id" in fault


def test_approval_without_proof_is_refused_on_the_internet_unless_asked_for_twice_and_warned_of_always() -> None:
    public = {"sign_in": "approve_only", "public_url": "https://music.example.org"}
    assert faults_of(public)[0].startswith("sign_in: ")
    for allowed in ({"sign_in": "approve_only"}, {**public, "anyone_may_approve": True}):
        assert "approve_only" in load({}, allowed).warnings[0]


def test_own_tls_needs_both_files_and_a_relative_one_lies_where_home_assistant_keeps_certificates(tmp_path: Path) -> None:
    certificate = tmp_path / "chain.pem"
    certificate.touch()
    chain, key = faults_of({"ssl": True, "certfile": str(tmp_path), "keyfile": "no-such-key.pem"})
    assert chain.startswith("certfile: ")
    assert '"/ssl/no-such-key.pem" cannot be read' in key
    assert faults_of({"ssl": True, "certfile": str(certificate)})[0].startswith("keyfile: it is not set")
    assert load({}, {"ssl": True, "certfile": str(certificate), "keyfile": str(certificate)}).settings.ssl
    assert not load({}, {"certfile": "fullchain.pem"}).settings.ssl


def test_two_listeners_on_one_port_are_refused_but_both_may_take_any_free_one() -> None:
    assert faults_of({"admin_port": 8096})[0].startswith("admin_port: ")
    assert load({}, {"port": 0, "admin_port": 0}).settings.port == 0


def test_an_unknown_name_is_a_warning_with_a_guess_and_its_value_is_not_shown() -> None:
    environ = {"ALEXA_OAUTH_PROT": "hunter2", "ALEXA_OAUTH_BACKUP_PASSPHRASE_FILE": "x", "PATH": "/bin"}
    first, second = load(environ, {"vendor_id": "hunter2"}).warnings
    assert first == "ALEXA_OAUTH_PROT is not a setting; did you mean ALEXA_OAUTH_PORT?"
    assert second == "the option vendor_id is not a setting; did you mean vendor_ids?"


def test_every_default_satisfies_its_own_reader() -> None:
    for row in dataclasses.fields(Settings):
        if row.default not in (dataclasses.MISSING, None, ()):
            value = list(row.default) if isinstance(row.default, tuple) else row.default
            assert row.metadata["read"](str(value) if isinstance(value, Path) else value) == row.default
