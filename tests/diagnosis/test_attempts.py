"""From what was recorded to where an attempt stands and why: each cause that shows in events, told as the story of a person."""

import re
from dataclasses import replace
from inspect import getsource

import pytest

from alexa_oauth.diagnosis import reasons, verdict
from alexa_oauth.diagnosis.attempt import Standing, Step
from alexa_oauth.diagnosis.causes import CATALOGUE
from alexa_oauth.diagnosis.causes.cause import Seen
from alexa_oauth.diagnosis.reasons import CAUSE_OF
from alexa_oauth.protocol.events import EventName, Reason
from tests.diagnosis.story import HOME, IN_APP, LAYLA_URI, OTHER_VENDOR_URI, STRANGER, Story, read_all
from tests.rig import NOW

RUNNING, LINKED, STOPPED, DENIED, ENDED = Standing


def told(story: Story) -> tuple[Standing, str | None, bool]:
    """Standing, cause, and whether that is but probable."""
    found = story.read().verdict
    return found.standing, found.cause.cause_id if found.cause else None, found.probable


def test_a_link_that_goes_through_reads_from_top_to_bottom() -> None:
    attempt = Story().asked().approved().given().used().read()
    assert [(moment.at - NOW, moment.text) for moment in attempt.moments] == [
        (0, "Alexa sent a person here, and the page was shown"),
        (5, "The person approved"),
        (5, "The browser was sent back to Alexa with a code"),
        (6, "Amazon's server called and got its tokens"),
        (7, "A token was used for the first time"),
    ]
    assert (attempt.step, attempt.verdict.standing, attempt.verdict.cause, attempt.notes) == (Step.USED, LINKED, None, ())
    assert (attempt.subject, attempt.client_id, attempt.address, attempt.browser) == (
        "ha:anna",
        "alexa",
        HOME,
        "Chrome on Android",
    )


@pytest.mark.parametrize(
    ("story", "step"),
    [
        (Story().asked(), Step.SHOWN),
        (Story().asked().approved(), Step.CODE_ISSUED),
        (Story().asked().approved().refused(Reason.VERIFIER_WRONG), Step.CALLED),
        (Story().asked().approved().given(), Step.ANSWERED),
        (Story().tell(EventName.AUTHORIZE_REFUSED, Reason.SCOPE_UNKNOWN), Step.ASKED),
    ],
)
def test_the_furthest_step_is_named(story: Story, step: Step) -> None:
    assert story.read().step is step


@pytest.mark.parametrize(("seconds", "expected"), [(59, (RUNNING, None, False)), (60, (STOPPED, "token_url_unreachable", False))])
def test_cause_1_a_minute_after_the_approval_amazon_has_not_come(seconds: int, expected: object) -> None:
    assert told(Story().asked().approved().passes(seconds)) == expected


def test_cause_18_a_header_that_stops_the_way_back_looks_the_same_and_is_named_beside_it() -> None:
    others = [cause.cause_id for cause in Story().asked(IN_APP).approved().passes(60).read().verdict.others]
    assert others == ["bot_filter", "certificate_incomplete", "country_filter", "page_policy", "in_app_browser"]


@pytest.mark.parametrize(
    ("uri", "cause"),
    [
        (LAYLA_URI, "region_unregistered"),
        (OTHER_VENDOR_URI, "vendor_id_wrong"),
        ("https://evil.test/api/skill/link/M2AAAAAAAAAAAA", "redirect_uri_foreign"),
        ("http://layla.amazon.com/api/skill/link/M2AAAAAAAAAAAA", "redirect_uri_foreign"),
        ("https://layla.amazon.com.evil.test/api/skill/link/M2AAAAAAAAAAAA", "redirect_uri_foreign"),
        ("https://layla.amazon.com@evil.test/api/skill/link/M2AAAAAAAAAAAA", "redirect_uri_foreign"),
        ("https://[evil", "redirect_uri_foreign"),
    ],
)
def test_causes_8_and_9_the_return_address_says_whether_region_or_vendor_differs(uri: str, cause: str) -> None:
    story = Story().tell(EventName.AUTHORIZE_REFUSED, Reason.REDIRECT_URI_NOT_REGISTERED, redirect_uri=uri)
    assert told(story) == (STOPPED, cause, False)
    assert story.read().sent_uri == uri
    assert story.read().moments[0].text == f"The request was refused: {CATALOGUE[cause].title}"


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (Reason.CLIENT_UNKNOWN, "client_id_wrong"),
        (Reason.SECRET_WRONG, "client_secret_wrong"),
        (Reason.SECRET_MISSING, "client_secret_missing"),
        (Reason.SECRET_PADDED, "client_secret_padded"),
        (Reason.CREDENTIALS_TWICE, "client_authentication_scheme"),
        (Reason.CREDENTIALS_MALFORMED, "client_authentication_scheme"),
        (Reason.BODY_UNREADABLE, "post_changed"),
        (Reason.PARAMETER_MISSING, "post_changed"),
        (Reason.GRANT_TYPE_UNSUPPORTED, "addresses_swapped"),
        (Reason.CODE_UNKNOWN, "code_used"),
        (Reason.STORAGE_UNAVAILABLE, "storage_unavailable"),
        (Reason.CLOCK_DOUBTFUL, "clock_wrong"),
    ],
)
def test_causes_10_and_11_a_refusal_that_names_no_attempt_is_joined_and_called_probable(reason: Reason, cause: str) -> None:
    story = Story().asked().approved().passes(1).stray(reason, count=3).passes(60)
    assert told(story) == (STOPPED, cause, True)
    moment = story.read().moments[-1]
    assert (moment.probable, moment.count, moment.address, moment.is_bad) == (True, 3, STRANGER, True)


def test_a_refusal_is_joined_within_reason_only() -> None:
    """Strangers call the token endpoint at any time, and for other clients."""
    unreachable = (STOPPED, "token_url_unreachable", False)
    before = Story().asked().stray(Reason.SECRET_WRONG).approved().passes(60)
    long_after = Story().asked().approved().passes(181).stray(Reason.SECRET_WRONG)
    of_another = Story().asked().approved().passes(1).stray(Reason.SECRET_WRONG, "other").passes(60)
    of_refresh = Story().asked().approved().passes(1).stray(Reason.REFRESH_TOKEN_UNKNOWN).passes(60)
    of_revocation = Story().asked().approved().passes(1).stray(Reason.SECRET_WRONG, name=EventName.REVOCATION_REFUSED).passes(60)
    assert [told(story) for story in (before, long_after, of_another, of_refresh, of_revocation)] == [unreachable] * 5
    named = Story().asked().approved().passes(1).stray(Reason.SECRET_WRONG).passes(60)
    named.strays = [replace(stray, event=replace(stray.event, attempt="another")) for stray in named.strays]
    assert told(named) == unreachable
    assert told(Story().asked().approved().passes(1).stray(Reason.SECRET_WRONG, "alexa").passes(60))[1] == "client_secret_wrong"


def test_a_refusal_is_joined_to_the_newest_attempt_that_waits_for_its_token() -> None:
    older, newest = Story("a1").asked().approved(), Story("a2", at=NOW + 20).asked().approved()
    linked = Story("a3", at=NOW + 30).asked().approved().given().used()
    newest.passes(20).stray(Reason.SECRET_WRONG).passes(100)
    causes = [attempt.verdict.cause for attempt in read_all(older, newest, linked)]
    assert [cause and cause.cause_id for cause in causes] == ["token_url_unreachable", "client_secret_wrong", None]


@pytest.mark.parametrize("reason", [Reason.METHOD_WRONG, Reason.PATH_UNKNOWN])
def test_cause_12_calls_beside_the_token_address_after_an_approval(reason: Reason) -> None:
    story = Story().asked().approved().passes(1).stray(reason, name=EventName.REQUEST_MISDIRECTED).passes(60)
    assert told(story) == (STOPPED, "addresses_swapped", True)


def test_cause_12_a_person_who_is_sent_to_the_token_address_and_a_server_that_calls_the_other() -> None:
    assert told(Story().tell(EventName.REQUEST_MISDIRECTED, Reason.METHOD_WRONG)) == (STOPPED, "addresses_swapped", False)
    swapped = Story().tell(EventName.AUTHORIZE_REFUSED, Reason.PARAMETER_MISSING, grant_type="authorization_code")
    assert told(swapped) == (STOPPED, "addresses_swapped", False)


def test_the_other_grant_of_the_console_is_named_as_what_it_is() -> None:
    assert told(Story().tell(EventName.AUTHORIZE_REFUSED, Reason.RESPONSE_TYPE_UNSUPPORTED))[1] == "implicit_grant"


@pytest.mark.parametrize(
    ("reason", "cause"), [(Reason.CHALLENGE_MISSING, "pkce_off"), (Reason.CHALLENGE_METHOD_UNSUPPORTED, "pkce_disagrees")]
)
def test_cause_13_pkce_before_the_page(reason: Reason, cause: str) -> None:
    assert told(Story().tell(EventName.AUTHORIZE_REFUSED, reason)) == (STOPPED, cause, False)


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (Reason.VERIFIER_WRONG, "pkce_disagrees"),
        (Reason.VERIFIER_MISSING, "pkce_disagrees"),
        (Reason.VERIFIER_UNEXPECTED, "pkce_disagrees"),
        (Reason.CODE_EXHAUSTED, "pkce_disagrees"),
        (Reason.CODE_EXPIRED, "code_expired"),
        (Reason.CODE_OF_ANOTHER_CLIENT, "code_not_for_this"),
        (Reason.REDIRECT_URI_DIFFERS, "code_not_for_this"),
    ],
)
def test_the_code_is_refused(reason: Reason, cause: str) -> None:
    assert told(Story().asked().approved().refused(reason).passes(60)) == (STOPPED, cause, False)


def test_cause_14_an_exchange_that_was_repeated_tells_of_a_slow_answer() -> None:
    story = Story().asked().approved().given().passes(5).tell(EventName.TOKEN_REPLAYED)
    assert told(story) == (RUNNING, None, False), "the second answer may have come in time"
    assert told(story.passes(600)) == (STOPPED, "answer_slow", True)
    assert told(story.used()) == (LINKED, None, False)
    assert "asked twice" in story.read().notes[0]


@pytest.mark.parametrize(
    ("user_agent", "seconds", "expected"),
    [
        (IN_APP, 599, (RUNNING, None, False)),
        (IN_APP, 600, (STOPPED, "in_app_browser", True)),
        ("Mozilla/5.0 (Windows NT 10.0) Firefox/127.0", 600, (STOPPED, "not_approved", False)),
    ],
)
def test_cause_17_seen_and_never_approved(user_agent: str, seconds: int, expected: object) -> None:
    assert told(Story().asked(user_agent).passes(seconds)) == expected


def test_cause_17_an_app_without_cookies_answers_as_another_browser() -> None:
    refused = Story().asked(IN_APP).passes(9).tell(EventName.CONSENT_REFUSED, Reason.BROWSER_MISMATCH)
    assert told(refused) == (RUNNING, "in_app_browser", False)
    mistyped = Story().asked(IN_APP).passes(9).tell(EventName.SIGN_IN_FAILED, Reason.SIGN_IN_WRONG)
    assert told(mistyped) == (RUNNING, "sign_in_failed", False)
    assert told(Story().asked().tell(EventName.CONSENT_REFUSED, Reason.BROWSER_MISMATCH).passes(600))[1] == "browser_changed"


def test_cause_19_a_link_that_was_unused_for_too_long() -> None:
    story = Story().asked().approved().given().used().passes(91 * 86_400)
    assert told(story.refused(Reason.REFRESH_TOKEN_EXPIRED)) == (ENDED, "refresh_token_expired", False)


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (Reason.REFRESH_TOKEN_REUSED, "refresh_token_reused"),
        (Reason.REVOKED_BY_OPERATOR, "link_ended"),
        (Reason.REVOKED_BY_CLIENT, "link_ended"),
        (Reason.CODE_REPLAYED, "code_used"),
    ],
)
def test_cause_19_a_link_that_was_ended(reason: Reason, cause: str) -> None:
    story = Story().asked().approved().given().used().tell(EventName.GRANT_ENDED, reason)
    assert told(story) == (ENDED, cause, False)


@pytest.mark.parametrize(("seconds", "expected"), [(599, (RUNNING, None, False)), (600, (STOPPED, "amazon_fault", True))])
def test_cause_20_all_is_green_and_no_token_is_used(seconds: int, expected: object) -> None:
    story = Story().asked().approved().given().passes(seconds)
    assert told(story) == expected
    assert told(story.used()) == (LINKED, None, False)


def test_a_code_that_comes_twice_does_not_darken_a_link_that_lives() -> None:
    assert told(Story().asked().approved().given().used().refused(Reason.CODE_USED)) == (LINKED, None, False)


def test_scopes_that_were_left_out_are_a_note() -> None:
    attempt = Story().asked(dropped_scope="music.write").approved().given().used().read()
    assert attempt.verdict.standing is LINKED
    assert "left out: music.write" in attempt.notes[0]


def test_a_state_that_got_lost_on_the_way_here_explains_why_amazon_does_not_come() -> None:
    assert told(Story().asked(echo_characters="0").approved().passes(60)) == (STOPPED, "state_changed", True)


@pytest.mark.parametrize("characters", ["127", "128", "255", "256", "1023", "1024", "2048"])
def test_a_state_as_long_as_programs_cut_is_one_that_was_probably_cut(characters: str) -> None:
    assert told(Story().asked(echo_characters=characters).approved().passes(60)) == (STOPPED, "state_changed", True)
    assert told(Story().asked(echo_characters="1043").approved().passes(60))[1] == "token_url_unreachable"


def test_a_person_who_denies_is_no_fault() -> None:
    story = Story().asked().passes(4).tell(EventName.CONSENT_DENIED, Reason.PERSON_DENIED)
    assert told(story) == (DENIED, "person_denied", False)
    assert story.read().moments[-1].text == "The person denied"


def test_wrong_codes_are_told_while_the_person_can_try_again_and_when_they_cannot() -> None:
    story = Story().asked().passes(20).tell(EventName.SIGN_IN_FAILED, Reason.SIGN_IN_WRONG)
    assert told(story) == (RUNNING, "sign_in_failed", False)
    assert told(story.tell(EventName.SIGN_IN_FAILED, Reason.SIGN_IN_EXHAUSTED)) == (STOPPED, "sign_in_failed", False)
    late = story.passes(40).tell(EventName.SIGN_IN_FAILED, Reason.SIGN_IN_WRONG)
    assert told(late) == (STOPPED, "sign_in_failed", False), "the wrong codes before the last are written as a sum, after it"


def test_who_never_comes_back_from_another_service_s_page_is_told_apart_from_who_never_answered() -> None:
    """Amazon shows an error page, and sends nobody back, where its console names another return address."""
    away = Story().asked().passes(5).tell(EventName.SIGN_IN_SENT)
    assert told(away) == (RUNNING, None, False)
    assert told(away.passes(600)) == (STOPPED, "sign_in_not_returned", False)
    in_app = Story().asked(IN_APP).tell(EventName.SIGN_IN_SENT).passes(600).read().verdict
    assert [cause.cause_id for cause in in_app.others] == ["in_app_browser"]
    back = Story().asked().tell(EventName.SIGN_IN_SENT).tell(EventName.SIGN_IN_SUCCEEDED).passes(600)
    assert told(back) == (STOPPED, "not_approved", False)


def test_a_sum_that_was_written_late_stands_where_it_belongs() -> None:
    """Wrong codes are written within a minute; the right one was entered before that."""
    story = Story().asked().approved().given().used().passes(40).tell(EventName.SIGN_IN_FAILED, Reason.SIGN_IN_WRONG)
    attempt = story.read()
    assert [moment.text.partition(":")[0] for moment in attempt.moments][:3] == [
        "Alexa sent a person here, and the page was shown",
        "A sign-in failed",
        "The person approved",
    ]
    assert attempt.verdict.standing is LINKED


def test_an_old_attempt_of_which_only_the_link_is_left_is_still_told() -> None:
    attempt = Story().approved().given().used().read()
    assert (attempt.step, attempt.verdict.standing, attempt.browser) == (Step.USED, LINKED, None)


def test_a_clock_that_went_back_blames_nobody() -> None:
    assert told(Story().asked().approved().passes(-3_600)) == (RUNNING, None, False)


def test_every_reason_has_a_cause_that_shows_in_events() -> None:
    assert CAUSE_OF.keys() == set(Reason)
    assert not {cause.cause_id for cause in CAUSE_OF.values() if Seen.EVENTS not in cause.seen} - {"post_changed"}


def test_each_cause_that_shows_in_events_is_told_of_some_attempt() -> None:
    """Or stands beside one that looks the same. A proxy that nobody configured is no attempt's affair."""
    named = {name.lower() for module in (reasons, verdict) for name in re.findall(r"\.([A-Z][A-Z_0-9]+)", getsource(module))}
    assert {cause_id for cause_id, cause in CATALOGUE.items() if Seen.EVENTS in cause.seen} - named == {"proxy_unknown"}
