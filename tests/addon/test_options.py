"""Options, settings, translations and DOCS.md say the same of the same things."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Final

import pytest

from alexa_oauth.settings.loading import load
from alexa_oauth.settings.table import BUILT_SIGN_INS, SETTINGS, Setting, Settings
from alexa_oauth.settings.values import SECRET_CHARACTERS, Unfit
from tests.addon.files import CONFIGURATION, LANGUAGES, OPTIONS, ROOT, TRANSLATIONS, TYPES, documented_options
from tests.addon.supervisor import OptionType

BY_NAME: Final = {setting.name: setting for setting in SETTINGS}
OF_A_WAY_TO_SIGN_IN: Final = {
    "home_assistant": ("approvers", "home_assistant_url", "home_assistant_internal_url"),
    "amazon": ("amazon_client_id", "amazon_client_secret", "amazon_region", "amazon_allowed"),
}
NOT_OFFERED: Final = {
    "host": "the container's own affair",
    "port": "the container's own affair; which port of the machine it is, Home Assistant asks under Network",
    "admin_host": "the container's own affair",
    "admin_port": "the container's own affair",
    "data_dir": "the container's own affair",
    "clients_file": "the container shows its owner no folder to lay one into",
    "client_id": "the built-in client's does for everybody",
    "self_test": "nothing comes from loopback in a container",
    "encryption_key": "as an option it would be written in clear into files of Home Assistant's",
    "log_format": "people read the log page",
}
"""Why the other settings are no options: who adds a setting decides here whether a home needs it."""

CHANGED: Final = {"trusted_proxies": "proxies are apps", "certfile": "as other apps do", "keyfile": "as other apps do"}
"""Options that begin otherwise than the settings do, and why."""

INTEGERS: Final = [name for name, kind in TYPES.items() if kind.kind == "int"]
VENDOR_ID: Final = "M1A2B3C4D5E6F7"


def fits(setting: Setting, value: object) -> bool:
    """Whether the server takes the value."""
    try:
        setting.read(value)
    except Unfit:
        return False
    return True


def default(name: str) -> Any:  # noqa: ANN401 - of every type
    """A setting's default."""
    return next(row.default for row in fields(Settings) if row.name == name)


def test_each_setting_is_an_option_or_there_is_a_reason() -> None:
    assert set(TYPES) | set(NOT_OFFERED) == set(BY_NAME)
    assert not set(TYPES) & set(NOT_OFFERED)
    assert set(OPTIONS) <= set(TYPES), "an option without a type is dropped by the Supervisor"


def test_it_starts_as_it_is_installed() -> None:
    missing = [name for name, kind in TYPES.items() if name not in OPTIONS and not kind.optional]
    assert missing == [], "without a value these stop the start"
    for name, value in OPTIONS.items():
        for item in value if isinstance(value, list) else [value]:
            assert TYPES[name].accepts(item), f"the Supervisor refuses the default of {name}"
    loaded = load({}, OPTIONS)
    assert loaded.warnings == ()
    usual = load({}, {}).settings
    changed = {row.name for row in fields(Settings) if getattr(loaded.settings, row.name) != getattr(usual, row.name)}
    assert changed == set(CHANGED)


def test_what_nobody_needs_to_see_at_first_is_out_of_sight() -> None:
    """Home Assistant hides an option that is optional and has no value."""
    of_a_way = {name for names in OF_A_WAY_TO_SIGN_IN.values() for name in names}
    of_few = {"anyone_may_approve", "client_secret", "home_assistant_token", "metrics_token"}
    assert set(TYPES) - set(OPTIONS) - of_a_way == {*of_few, *INTEGERS}
    assert not of_a_way & set(OPTIONS), "who changes the way to sign in looks for what belongs to it"
    assert {"public_url", "vendor_ids"} <= set(OPTIONS), "without these two nobody can link"


def test_secrets_are_covered_up_and_nothing_else_is() -> None:
    assert {name for name, kind in TYPES.items() if kind.kind == "password"} == {name for name in TYPES if BY_NAME[name].secret}


@pytest.mark.parametrize("name", INTEGERS)
def test_ranges_are_those_of_the_server(name: str) -> None:
    least, most = TYPES[name].bounds
    answers = [fits(BY_NAME[name], number) for number in (least - 1, least, most, most + 1)]
    assert answers == [False, True, True, False]


@pytest.mark.parametrize(("name", "choices"), [("sign_in", BUILT_SIGN_INS), ("log_level", ("debug", "info", "warning", "error"))])
def test_choices_are_those_of_the_server(name: str, choices: tuple[str, ...]) -> None:
    assert TYPES[name].choices == choices
    with pytest.raises(Unfit) as refused:
        BY_NAME[name].read("something else")
    assert refused.value.allowed == ", ".join(choices)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "public_url",
            ["https://music.example.org", "https://music.example.org/", "https://music.example.org:8443"],
            [
                "http://music.example.org",
                "music.example.org",
                "https://a.test/b",
                "https://u:p@a.test",
                "https://a.test?b",
                "https://",
            ],
        ),
        (
            "vendor_ids",
            [VENDOR_ID, "M12345678901234", "M123456789012"],
            [VENDOR_ID.lower(), "M1", "A1A2B3C4D5E6F7", VENDOR_ID * 2],
        ),
        (
            "trusted_proxies",
            ["172.30.33.0/24", "192.0.2.7", "2001:db8::/32", "::1"],
            ["proxy.example", "*", "192.0.2.7 ", "192.0.2.0/24/24"],
        ),
        (
            "home_assistant_url",
            ["https://home.example.org", "http://192.0.2.7:8123/", "http://homeassistant.local:8123"],
            ["home.example.org", "https://home.example.org/lovelace", "https://u:p@home.example.org", "https://"],
        ),
        ("approvers", ["admins", "everyone", "0123456789abcdef0123456789abcdef"], ["Anna B", "admins,everyone", ""]),
        (
            "amazon_allowed",
            ["amzn1.account.AGANNA0123456789ANNA", "amzn1.account.a-b_c.D"],
            ["anna@example.org", "amzn1.application-oa2-client.0", "amzn1.account.", "amzn1.account.A B", ""],
        ),
        ("amazon_client_id", ["amzn1.application-oa2-client.0123456789abcdef"], ["amzn1 application", "clé"]),
        ("log_level", ["debug", "info", "warning", "error"], ["trace", "INFO", ""]),
    ],
)
def test_a_mistake_is_seen_when_the_options_are_saved(name: str, good: list[str], bad: list[str]) -> None:
    for value in good:
        assert (TYPES[name].accepts(value), fits(BY_NAME[name], value)) == (True, True), value
    for value in bad:
        assert not TYPES[name].accepts(value), value


def test_an_empty_field_is_no_mistake() -> None:
    assert TYPES["public_url"].accepts("")
    assert load({}, {"public_url": ""}).settings.public_url is None


@pytest.mark.parametrize(
    "written", ["password(16,)?", "str(2,10)", "match", "list()", "bool(1)", "int(a,b)", "text", "int (1,2)", "url??"]
)
def test_types_that_the_supervisor_does_not_know_or_cannot_use(written: str) -> None:
    with pytest.raises(ValueError, match=re.escape(written)):
        OptionType.parse(written)


def test_there_is_a_translation_for_each_language_and_no_other_file() -> None:
    assert sorted(file.name for file in (ROOT / "translations").iterdir()) == [f"{language}.yaml" for language in LANGUAGES]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_option_has_a_name_and_a_description_in_each_language(language: str) -> None:
    translation = TRANSLATIONS[language]
    assert set(translation) == {"configuration", "network"}
    assert list(translation["configuration"]) == list(TYPES)
    for option in translation["configuration"].values():
        assert set(option) == {"name", "description"}
        assert all(text.strip() for text in option.values())


def test_no_description_was_left_in_another_language() -> None:
    told = [option["description"] for translation in TRANSLATIONS.values() for option in translation["configuration"].values()]
    assert len(told) == len(set(told)) == len(LANGUAGES) * len(TYPES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_and_choices_are_told_alike_in_each_language(language: str) -> None:
    told = {name: option["description"] for name, option in TRANSLATIONS[language]["configuration"].items()}
    for name in INTEGERS:
        numbers = {int(number) for number in re.findall(r"[0-9]+", told[name])}
        assert {*TYPES[name].bounds, default(name)} <= numbers, name
    assert all(choice in told["sign_in"] for choice in TYPES["sign_in"].choices)
    assert OPTIONS["trusted_proxies"][0] in told["trusted_proxies"]
    assert all(str(SECRET_CHARACTERS) in told[name] for name in ("client_secret", "metrics_token"))
    assert "https://music.example.org" in told["public_url"]


def test_docs_have_each_option_in_the_order_of_the_form() -> None:
    assert list(documented_options()) == list(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_docs_say_what_is_allowed_and_what_the_default_is(name: str) -> None:
    text = documented_options()[name]
    kind = TYPES[name]
    value = OPTIONS[name] if name in OPTIONS else default(name)
    told = "made at the first start" if name == "client_secret" else _told(value)
    assert re.search(rf"^Default: {re.escape(told)}", text, re.MULTILINE), told
    if kind.kind == "list":
        assert all(f"`{choice}`" in text for choice in kind.choices)
    if kind.kind == "int":
        assert all(f"`{bound}`" in text for bound in kind.bounds)


def _told(value: object) -> str:
    if isinstance(value, list | tuple) and value:
        (value,) = value
    if isinstance(value, bool):
        value = str(value).lower()
    return f"`{value}`" if value not in ("", [], (), None, MISSING) else "empty"


def test_certificates_are_looked_for_where_they_are_mapped() -> None:
    settings = load({}, OPTIONS).settings
    assert settings.certfile == Path("/") / CONFIGURATION["map"][0]["type"] / OPTIONS["certfile"]
