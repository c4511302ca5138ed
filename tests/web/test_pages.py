import base64
import hashlib
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from alexa_oauth.web.pages import ConsentView, Pages, ProblemView

HOSTILE = """<script>alert(1)</script><b onmouseover='x'>"&amp; \u202eevil"""

CONSENT = ConsentView(
    client_name="Amazon Alexa",
    redirect_host="pitangui.amazon.com",
    scopes=("See your music library and what is playing", "Play music and control your speakers"),
    sign_in="pairing_code",
    request_id="request-id",
    csrf="csrf-value",
    words=("amber", "otter"),
    reference="attempt-1",
)
PROBLEM = ProblemView(
    title="This redirect URI is not registered",
    explanation="The request asked to send you to an address that is not known here.",
    fix="Add the vendor id, then begin again in the Alexa app.",
    received=(("Redirect URI", "https://layla.amazon.com/api/skill/link/M1"),),
    reference="attempt-2",
)
PAGES = Pages()


class Document(HTMLParser):
    """A page as its elements, each with its attributes and the text inside it."""

    VOID = frozenset({"input", "meta"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(html)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text: list[str] = []
        self.elements.append((tag, dict(attrs), text))
        if tag not in self.VOID:
            self._open.append((tag, text))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag

    def handle_data(self, data: str) -> None:
        for _, text in self._open:
            text.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes, _ in self.elements if name == tag]

    def texts(self, tag: str) -> list[str]:
        return [" ".join("".join(text).split()) for name, _, text in self.elements if name == tag]

    def by_role(self, role: str) -> list[str]:
        return [" ".join("".join(text).split()) for _, attributes, text in self.elements if attributes.get("role") == role]


EVERY_PAGE = {
    "consent": PAGES.consent(CONSENT),
    "consent after a wrong code": PAGES.consent(replace(CONSENT, error="That code is wrong.", attempts_left=4)),
    "consent before a sign-in elsewhere": PAGES.consent(replace(CONSENT, elsewhere="Home Assistant")),
    "consent after a sign-in": PAGES.consent(replace(CONSENT, elsewhere="Home Assistant", person="Anna")),
    "consent without proof": PAGES.consent(replace(CONSENT, sign_in="approve_only")),
    "problem": PAGES.problem(PROBLEM),
    "problem with nothing to show": PAGES.problem(replace(PROBLEM, fix=None, received=())),
    "home": PAGES.home("1.0.0"),
}
every_page = pytest.mark.parametrize("html", EVERY_PAGE.values(), ids=EVERY_PAGE.keys())


@every_page
def test_d13_the_policy_admits_the_one_style_element_by_its_hash_and_nothing_else(html: str) -> None:
    (style,) = (text for tag, _, text in Document(html).elements if tag == "style")
    digest = base64.b64encode(hashlib.sha256("".join(style).encode()).digest()).decode()

    assert PAGES.content_security_policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]


def test_d14_no_form_action_that_would_stop_the_redirects_after_the_form() -> None:
    assert "form-action" not in PAGES.content_security_policy


@every_page
def test_d16_d27_a_page_runs_no_script_and_loads_nothing(html: str) -> None:
    document = Document(html)

    assert {tag for tag, _, _ in document.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "a", "base"})
    for _, attributes, _ in document.elements:
        assert not {"src", "href", "style", "srcset", "data"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in html
    assert "@import" not in html


@every_page
def test_a_page_says_its_language_and_has_one_main_one_heading_and_a_title(html: str) -> None:
    document = Document(html)

    assert document.attributes("html")[0]["lang"] == "en"
    assert len(document.texts("main")) == len(document.texts("h1")) == 1
    assert document.texts("title") != [""]
    ids = [attributes["id"] for _, attributes, _ in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes, _ in document.elements:
        for reference in ("aria-labelledby", "aria-describedby", "for"):
            assert set((attributes.get(reference) or "").split()) <= set(ids)


def test_d20_a_client_name_with_markup_is_text() -> None:
    document = Document(PAGES.consent(replace(CONSENT, client_name=HOSTILE, redirect_host=HOSTILE, reference=HOSTILE)))

    assert "".join(HOSTILE.split()) in "".join(document.texts("h1")[0].split())
    assert not document.attributes("script")
    assert not document.attributes("b")


def test_d20_a_name_cannot_leave_the_field_that_it_stands_in() -> None:
    document = Document(PAGES.consent(replace(CONSENT, request_id='"><script>', csrf="' onfocus='x")))

    hidden = {field["name"]: field["value"] for field in document.attributes("input") if field["type"] == "hidden"}
    assert hidden == {"request": '"><script>', "csrf": "' onfocus='x"}


def test_d28_whatever_was_received_is_shown_as_text() -> None:
    document = Document(PAGES.problem(replace(PROBLEM, received=(("Redirect URI", HOSTILE),))))

    assert document.texts("dd") == [HOSTILE]
    assert not document.attributes("script")
    assert not document.attributes("b")


def test_the_page_names_client_host_scopes_sign_in_words_and_reference() -> None:
    text = Document(PAGES.consent(CONSENT)).texts("main")[0]

    assert "Amazon Alexa wants to use your Music Assistant" in text
    assert "go back to pitangui.amazon.com." in text
    assert "You are not signed in" in text
    assert "amber otter" in text
    assert "attempt-1" in text
    assert Document(PAGES.consent(CONSENT)).texts("li") == list(CONSENT.scopes)


def test_approve_and_deny_are_of_equal_standing_and_approve_is_what_enter_does() -> None:
    approve, deny = (attributes for attributes in Document(PAGES.consent(CONSENT)).attributes("button"))

    assert Document(PAGES.consent(CONSENT)).texts("button") == ["Approve & Link Account", "Deny"]
    assert (approve["name"], approve["value"]) == ("decision", "approve")
    assert (deny["name"], deny["value"]) == ("decision", "deny")
    assert "formnovalidate" in deny, "a person can deny without a code"
    assert "formnovalidate" not in approve


def test_d07_the_form_carries_the_request_the_csrf_value_and_the_proof_alone() -> None:
    document = Document(PAGES.consent(CONSENT))

    assert document.attributes("form") == [{"method": "post", "action": "/alexa/approve"}]
    assert [field["name"] for field in document.attributes("input")] == ["request", "csrf", "pairing_code"]


def test_the_pairing_code_is_labelled_and_says_where_to_find_it() -> None:
    document = Document(PAGES.consent(CONSENT))
    field = document.attributes("input")[-1]

    assert [label["for"] for label in document.attributes("label")] == [field["id"]]
    assert document.texts("label") == ["Pairing code (XXXX-XXXX)"]
    assert field["aria-describedby"] == "where"
    assert field["autocomplete"] == "off"
    assert "autofocus" not in field, "a keyboard would cover what is asked"


@pytest.mark.parametrize(("left", "words"), [(4, "4 tries left."), (1, "One try left.")])
def test_a_wrong_code_is_said_in_the_page_and_at_the_field(left: int, words: str) -> None:
    document = Document(PAGES.consent(replace(CONSENT, error="That code is wrong.", attempts_left=left)))
    field = document.attributes("input")[-1]

    assert document.by_role("alert") == [f"That code is wrong. {words}"]
    assert document.texts("title")[0].startswith("Please try again: ")
    assert field["aria-describedby"] == "error where"
    assert field["aria-invalid"] == "true"
    assert "autofocus" in field


def test_an_error_that_is_no_wrong_code_does_not_call_the_field_invalid() -> None:
    document = Document(PAGES.consent(replace(CONSENT, error="Too many people are trying. Wait a moment.")))

    assert document.by_role("alert") == ["Too many people are trying. Wait a moment."]
    assert "aria-invalid" not in document.attributes("input")[-1]


def test_approve_only_asks_for_nothing_and_warns_that_anyone_can_approve() -> None:
    document = Document(PAGES.consent(replace(CONSENT, sign_in="approve_only")))

    assert [field["type"] for field in document.attributes("input")] == ["hidden", "hidden"]
    assert "Anyone who sees this page can approve." in document.by_role("note")[0]


def test_before_a_sign_in_elsewhere_the_first_button_leads_there_and_nothing_can_be_approved() -> None:
    document = Document(PAGES.consent(replace(CONSENT, elsewhere="Home Assistant")))

    assert document.texts("button") == ["Sign in with Home Assistant", "Deny"]
    assert [button["value"] for button in document.attributes("button")] == ["sign_in", "deny"]
    assert [field["type"] for field in document.attributes("input")] == ["hidden", "hidden"]
    assert "Home Assistant asks who you are, on its own page" in document.texts("p")[1]


@pytest.mark.parametrize("elsewhere", ["Home Assistant", None])
def test_after_a_sign_in_the_page_says_who_and_asks_for_the_click_alone(elsewhere: str | None) -> None:
    document = Document(PAGES.consent(replace(CONSENT, elsewhere=elsewhere, person=HOSTILE)))

    assert document.texts("button") == ["Approve & Link Account", "Deny"]
    assert [field["type"] for field in document.attributes("input")] == ["hidden", "hidden"]
    assert f"Signed in as {HOSTILE}" in document.texts("p")
    assert not document.attributes("script")


def test_what_a_person_should_type_is_set_as_code() -> None:
    html = PAGES.problem(replace(PROBLEM, fix="Compare it with what `alexa-oauth alexa-config` prints."))

    assert "<p>Compare it with what <code>alexa-oauth alexa-config</code> prints.</p>" in html


def test_a_problem_page_without_a_fix_or_a_value_has_no_empty_part() -> None:
    document = Document(PAGES.problem(replace(PROBLEM, fix=None, received=())))

    assert document.texts("h2") == []
    assert PROBLEM.explanation in document.texts("main")[0]
