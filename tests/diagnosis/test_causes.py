"""The catalogue of causes: nothing that is known to break linking is missing, and each can be understood."""

from typing import Final

import pytest

from alexa_oauth.diagnosis import causes
from alexa_oauth.diagnosis.causes import CATALOGUE, address, alexa, console, path, person, tokens
from alexa_oauth.diagnosis.causes.cause import Cause, Seen

SUBJECTS: Final = (address, alexa, console, path, person, tokens)

KNOWN: Final[dict[int, tuple[str, ...]]] = {
    1: ("token_url_unreachable", "name_not_found", "address_private", "port_closed"),
    2: ("port_not_443",),
    3: ("certificate_expired", "certificate_untrusted", "certificate_incomplete", "certificate_name"),
    4: ("tls_12_refused",),
    5: ("bot_filter",),
    6: ("country_filter",),
    7: ("ban_list",),
    8: ("region_unregistered",),
    9: ("vendor_id_wrong",),
    10: ("client_id_wrong", "client_secret_wrong", "client_secret_missing", "client_secret_padded"),
    11: ("client_authentication_scheme",),
    12: ("addresses_swapped",),
    13: ("pkce_off", "pkce_disagrees"),
    14: ("answer_slow",),
    15: ("accept_grant",),
    16: ("skill_not_enabled",),
    17: ("in_app_browser",),
    18: ("page_policy",),
    19: ("refresh_token_expired", "refresh_token_unknown", "refresh_token_reused"),
    20: ("amazon_fault",),
}
"""The causes that people met most, numbered as in the list that they were collected in."""

FURTHER: Final = (
    "old_rows",
    "row_damaged",
    "copy_stale",
    "ipv6_dead",
    "post_redirected",
    "post_changed",
    "access_wall",
    "foreign_origin_fault",
    "code_used",
    "code_expired",
    "clock_wrong",
    "state_changed",
    "scope_refused",
    "app_to_app",
    "two_skills",
    "vpn_or_extension",
    "trusted_networks",
    "two_servers",
    "two_workers",
    "implicit_grant",
    "skill_endpoint_certificate",
    "icon_not_modified",
    "root_not_a_page",
    "skill_lapsed",
    "linking_left_over",
)
"""Less frequent ones."""

EACH: Final = pytest.mark.parametrize("cause", CATALOGUE.values(), ids=CATALOGUE.keys())


@pytest.mark.parametrize("number", range(1, 21))
def test_each_numbered_cause_is_told(number: int) -> None:
    assert set(KNOWN[number]) <= CATALOGUE.keys()


@pytest.mark.parametrize("cause_id", FURTHER)
def test_each_less_frequent_cause_is_told(cause_id: str) -> None:
    assert cause_id in CATALOGUE


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.__name__.rpartition(".")[2])
def test_what_a_file_defines_stands_in_the_catalogue_under_its_own_name(subject: object) -> None:
    defined = {name.lower(): value for name, value in vars(subject).items() if isinstance(value, Cause)}
    assert {name: CATALOGUE.get(name) for name in defined} == defined


def test_no_id_and_no_title_stands_twice() -> None:
    told = [cause for subject in SUBJECTS for cause in subject.CAUSES]
    assert len(told) == len(causes.CATALOGUE) == len({cause.title for cause in told})


@EACH
def test_a_cause_is_told_in_whole_sentences(cause: Cause) -> None:
    assert cause.sentence.endswith(".")
    assert cause.fix.endswith(".")
    assert not cause.title.endswith(".")
    assert len(cause.title) <= 50
    assert len(cause.sentence) <= 200
    assert "  " not in f"{cause.title}{cause.sentence}{cause.fix}"


@EACH
def test_it_is_known_where_a_cause_shows(cause: Cause) -> None:
    assert cause.seen
    assert {*cause.seen} <= {*Seen}
