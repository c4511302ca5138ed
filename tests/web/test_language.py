"""RFC 9110 §12.5.4 and RFC 4647 §3.4: which language a header asks for."""

import re
from dataclasses import replace
from html import unescape

import pytest
from multidict import CIMultiDict

from alexa_oauth.web.language import preferred
from alexa_oauth.web.pages import ConsentView, Pages
from alexa_oauth.web.texts import LANGUAGES, Library
from tests.conftest import StartRig
from tests.rig import Rig

LIBRARY = Library()
PAGES = Pages()
WORDS = re.compile(r'<strong class="words" lang="en">([a-z]+ [a-z]+)</strong>')


@pytest.mark.parametrize(
    ("header", "language"),
    [
        pytest.param("", "en", id="none"),
        pytest.param("de", "de", id="one"),
        pytest.param("DE-at", "de", id="case and region"),
        pytest.param("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", "pt", id="as Chrome in Brazil sends it"),
        pytest.param("zh-Hans-CN", "en", id="not spoken"),
        pytest.param("zh, ja;q=0.3", "ja", id="the next best"),
        pytest.param("fr;q=0.5, it;q=0.8, hi;q=0.8", "it", id="by weight, and of equal ones the first"),
        pytest.param("es ; q=0.5 ,\tde;Q=0.6", "de", id="blanks and capitals"),
        pytest.param("*", "en", id="any"),
        pytest.param("zh, *;q=0.1", "en", id="any other"),
        pytest.param("en;q=0, *", "de", id="any but English"),
        pytest.param("*, de;q=0.5", "en", id="any other first"),
        pytest.param("de;q=0", "en", id="not that one"),
        pytest.param("de;q=0, fr;q=0.001", "fr", id="little is more than nothing"),
        pytest.param("en-GB, de", "en", id="English first"),
        pytest.param("de;q=1.5, fr;q=0.2", "fr", id="no such weight"),
        pytest.param("de;q=0.1234, fr;q=0.2", "fr", id="too many digits"),
        pytest.param("de_DE, fr;q=0.2", "fr", id="no such tag"),
        pytest.param("d\u00e9, \uff44\uff45, it", "it", id="not ASCII"),
        pytest.param("de\n, es", "es", id="a line break"),
        pytest.param(",, ;q=1, ;, =, de", "de", id="empty ranges"),
    ],
)
def test_the_language_that_fits_best(header: str, language: str) -> None:
    assert preferred(header) == language


@pytest.mark.parametrize(
    "header",
    ["a-" * 4_000, "x," * 4_000, "*" * 8_000, "zz" + " " * 8_000 + ";q=", "zz-zzzzzzzz" + "-zzzzzzzz" * 800, ";q=" * 2_000],
    ids=["tags", "ranges", "wildcards", "blanks", "long tag", "weights"],
)
async def test_a_huge_or_senseless_header_gets_the_page_in_english(rig: Rig, header: str) -> None:
    answer = await rig.send("GET", "/", headers={"Accept-Language": header})
    assert (answer.status, answer.headers["Content-Language"]) == (200, "en")


def test_only_the_head_of_a_long_header_is_read() -> None:
    assert preferred("zh," * 300 + "de") == "de"
    assert preferred("zh," * 3_000 + "de") == "en"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_public_page_speaks_the_language_that_is_asked_for(start: StartRig, language: str) -> None:
    rig = await start(sign_in="pairing_code")
    texts = LIBRARY.texts(language)
    browser = rig.browser()
    rig.headers["Accept-Language"] = f"zh, {language}-XX;q=0.9, en;q=0.5"
    home = await browser.send("GET", "/")
    consent = await browser.authorize()
    wrong = await browser.approve(consent, pairing_code="BBBB-BBBB")
    problem = await browser.authorize("nobody")
    refused = await browser.send("POST", "/alexa/approve", {})

    for answer, entry in [
        (home, "home.lead"),
        (consent, "pairing_code.why"),
        (wrong, "pairing_code.wrong"),
        (problem, "problems.client_unknown.explanation"),
        (refused, "problems.parameter_malformed.explanation"),
    ]:
        assert answer.headers["Content-Language"] == language
        assert answer.headers["Vary"] == "Accept-Language"
        assert f'<html lang="{language}" dir="ltr">' in answer.text
        assert texts[entry] in unescape(answer.text)
    for answer in (consent, wrong):
        buttons = [unescape(label) for label in re.findall(r"<button [^>]*>([^<]*)</button>", answer.text)]
        assert buttons == [texts["consent.approve"], texts["consent.deny"]]
        assert WORDS.findall(answer.text)
        assert WORDS.findall(answer.text) == WORDS.findall(consent.text)
        assert all(texts[f"scopes.{scope}"] in unescape(answer.text) for scope in ("music.read", "music.control"))


async def test_two_header_lines_are_one_list(rig: Rig) -> None:
    headers = CIMultiDict([("Accept-Language", "zh"), ("Accept-Language", "hi")])
    async with rig.session.get(rig.origin, headers=headers) as answer:
        assert answer.headers["Content-Language"] == "hi"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_way_to_sign_in_can_be_shown_in_each_language(language: str) -> None:
    texts = LIBRARY.texts(language)
    plain = ConsentView("Alexa", "a.test", ("x",), "pairing_code", "id", "csrf", ("amber", "otter"), "ref")
    views = [
        *(replace(plain, sign_in=way) for way in ("pairing_code", "password", "approve_only")),
        *(replace(plain, error="!", attempts_left=left) for left in (1, 2)),
        replace(plain, elsewhere="Amazon"),
        replace(plain, elsewhere="Amazon", person="Anna"),
        replace(plain, is_allowed=True),
    ]
    for view in views:
        html = PAGES.consent(view, texts)
        assert f'<html lang="{language}" dir="ltr">' in html
        assert re.findall(r"\{[a-z]+\}|\*\*|`", html.partition("</head>")[2]) == []
