"""The catalogues: every entry is there, is used, fits its English, and holds no markup of its own."""

import ast
import re
import string
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from jinja2 import Environment, nodes
from markupsafe import Markup

import alexa_oauth.web
from alexa_oauth.protocol.policy import SCOPES
from alexa_oauth.web import problems
from alexa_oauth.web.problems import Problem
from alexa_oauth.web.texts import LANGUAGES, Library, Texts, prose

WEB: Final = Path(alexa_oauth.web.__file__).parent
ENTRY: Final = re.compile(r"[a-z_]+(\.[a-z_]+)+")
LIBRARY: Final = Library()
ENGLISH: Final = LIBRARY.english

SAME_IN: Final = {"it": {"password.password"}}
"""What reads as in English."""

translated = pytest.mark.parametrize("texts", [LIBRARY.texts(language) for language in LANGUAGES[1:]], ids=LANGUAGES[1:])
every_language = pytest.mark.parametrize("texts", [LIBRARY.texts(language) for language in LANGUAGES], ids=LANGUAGES)


def said_by_templates() -> Iterator[str]:
    """What stands as a literal in a call of `texts.say`."""
    for template in (WEB / "templates").glob("*.jinja"):
        for call in Environment(autoescape=True).parse(template.read_text("utf-8")).find_all(nodes.Call):
            if isinstance(call.node, nodes.Getattr) and call.node.attr == "say":
                literals = {call.args[0], *call.args[0].find_all(nodes.Const)}
                yield from (one.value for one in literals if isinstance(one, nodes.Const) and isinstance(one.value, str))


def named_by_code() -> Iterator[str]:
    """Literals that look like an entry of one of the sections and are no file's name; of problems see below."""
    sections = {entry.partition(".")[0] for entry in ENGLISH.entries} - {"problems"}
    for file in WEB.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            literal = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if ENTRY.fullmatch(literal) and literal.partition(".")[0] in sections and not (WEB / "templates" / literal).exists():
                yield literal


def told_by_problems() -> Iterator[str]:
    """The three entries of each problem."""
    known = [value for value in vars(problems).values() if isinstance(value, Problem)]
    for problem in [*known, *problems._PROBLEMS.values()]:
        yield from (problem.title, problem.explanation, problem.fix)


def used() -> set[str]:
    scopes = {f"scopes.{scope}" for scope in SCOPES}
    return scopes | set(said_by_templates()) | set(named_by_code()) | set(told_by_problems())


def placeholders(sentences: str) -> Counter[str | None]:
    return Counter(name for _, name, *_ in string.Formatter().parse(sentences) if name is not None)


def code(sentences: str) -> Counter[str]:
    return Counter(re.findall(r"`([^`]*)`", sentences))


def test_every_entry_that_is_used_is_there_and_every_entry_is_used() -> None:
    assert used() - ENGLISH.entries.keys() == set()
    assert ENGLISH.entries.keys() - used() == set()


def test_there_is_a_file_for_each_language_and_no_other() -> None:
    assert {file.stem for file in (WEB / "languages").iterdir()} == set(LANGUAGES)


@translated
def test_a_language_has_the_entries_of_english_in_its_order(texts: Texts) -> None:
    assert texts.entries.keys() - ENGLISH.entries.keys() == set()
    assert ENGLISH.entries.keys() - texts.entries.keys() == set()
    assert list(texts.entries) == list(ENGLISH.entries)


@translated
def test_a_language_fills_in_and_sets_as_code_what_english_does(texts: Texts) -> None:
    for entry, english in ENGLISH.entries.items():
        assert placeholders(texts[entry]) == placeholders(english), entry
        assert code(texts[entry]) == code(english), entry


@translated
def test_nothing_is_left_in_english(texts: Texts) -> None:
    same = {entry for entry, english in ENGLISH.entries.items() if texts[entry] == english}
    assert same - SAME_IN.get(texts.language, set()) == set()


@every_language
def test_an_entry_is_plain_text(texts: Texts) -> None:
    for entry, sentences in texts.entries.items():
        assert isinstance(sentences, str), entry
        assert sentences.strip() == sentences != "", entry
        assert not re.search(r"[<>\n\t]|&[a-z#]+;", sentences), entry
        assert sentences.count("`") % 2 == sentences.count("**") % 2 == 0, entry
        assert all(name and name.isidentifier() for name in placeholders(sentences)), entry


@every_language
def test_a_sentence_names_the_button_as_it_reads(texts: Texts) -> None:
    for entry in ("consent.not_yours", "sign_in.failed"):
        assert texts["consent.deny"] in texts[entry]


@every_language
def test_a_file_begins_with_a_word_to_translators(texts: Texts) -> None:
    assert (WEB / "languages" / f"{texts.language}.toml").read_text("utf-8").startswith("# ")


def test_french_marks_are_not_parted_from_their_words() -> None:
    parted = re.compile(r"« | [»:;?!]")
    assert [entry for entry, sentences in LIBRARY.texts("fr").entries.items() if parted.search(sentences)] == []


def test_what_is_filled_in_is_escaped_unless_it_is_markup() -> None:
    texts = Texts("en", {"one": "`{a}` & **{b}** {c}"})
    said = texts.say("one", a="<i>", b="{c} `x` **y**", c=Markup("<bdi>me</bdi>"))
    assert said == "<code>&lt;i&gt;</code> &amp; <strong>{c} `x` **y**</strong> <bdi>me</bdi>"


def test_markup_in_sentences_is_text() -> None:
    assert prose("<b>`<i>`") == "&lt;b&gt;<code>&lt;i&gt;</code>"


def test_only_english_and_what_was_asked_for_is_in_memory() -> None:
    library = Library()
    assert list(library._read) == ["en"]
    assert library.texts("ja") is library.texts("ja")
    assert list(library._read) == ["en", "ja"]


@every_language
def test_no_entry_is_written_twice(texts: Texts) -> None:
    """TOML itself refuses a second one, so a translator's slip is found by reading."""
    file = WEB / "languages" / f"{texts.language}.toml"
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(file.read_text("utf-8") + '\n[page]\nreference = "again"\n')
