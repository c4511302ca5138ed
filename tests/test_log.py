import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import aiosqlite
import pytest
import structlog
from aiohttp import http_exceptions
from hypothesis import given
from hypothesis import strategies as st

from alexa_oauth.log import LEFT_OUT, VALUE_CHARACTERS, configure, log_events
from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import TokenResponse

FORMATS = ("json", "console")
CODE = "SplxlOBeZQQYbYS6WxSbIASplxlOBeZQQYbYS6WxSbI"
Open = Callable[..., io.StringIO]


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, access = logging.getLogger(), logging.getLogger("aiohttp.access")
    kept = (root.handlers[:], root.level, logging.raiseExceptions, access.disabled)
    yield
    root.handlers[:], root.level, logging.raiseExceptions, access.disabled = kept
    structlog.reset_defaults()


@pytest.fixture(params=FORMATS)
def opened(request: pytest.FixtureRequest) -> Open:
    def begin(level: str = "debug") -> io.StringIO:
        stream = io.StringIO()
        configure(level, request.param, stream)
        return stream

    return begin


def as_json(level: str = "debug") -> io.StringIO:
    stream = io.StringIO()
    configure(level, "json", stream)
    return stream


def only_line(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.parametrize("log_format", FORMATS)
@given(hostile=st.text())
def test_o09_whatever_a_caller_sends_one_event_is_one_line_without_terminal_commands(log_format: str, hostile: str) -> None:
    stream = io.StringIO()
    configure("info", log_format, stream)
    structlog.get_logger().info(f"event{hostile}", client_id=hostile, user_agent=[hostile])
    logging.getLogger("library").warning("%s", hostile)
    ours, _, rest = stream.getvalue().partition("\n")
    assert (ours + rest.removesuffix("\n")).isprintable()
    assert rest.count("\n") == 1


@pytest.mark.parametrize("hostile", ["\r\nforged", "\x1b[2J", "\x9b2J", "\u2028forged", "\u202egnol", "\ud800"])
def test_o09_line_breaks_and_commands_stay_readable_as_escapes(opened: Open, hostile: str) -> None:
    stream = opened()
    structlog.get_logger().info("event", user_agent=hostile)
    assert hostile.encode("unicode_escape").decode() in stream.getvalue().replace("\\\\", "\\")


def test_o10_a_megabyte_of_user_agent_becomes_one_short_line(opened: Open) -> None:
    stream = opened()
    structlog.get_logger().info("event", user_agent="Mozilla " * 131_072)
    assert len(stream.getvalue()) < VALUE_CHARACTERS + 200
    assert "…" in stream.getvalue() or "\\u2026" in stream.getvalue()


@pytest.mark.parametrize("before", range(VALUE_CHARACTERS - 60, VALUE_CHARACTERS + 2, 7))
def test_a_code_that_is_cut_in_half_does_not_show_its_half(before: int) -> None:
    stream = as_json()
    structlog.get_logger().info("event", user_agent=" " * before + CODE + " " * 50)
    assert CODE[:2] not in stream.getvalue()


@pytest.mark.parametrize(
    "name", ["code", "access_token", "client_secret", "Cookie", "x-api-key", "code_verifier", "query", "Referer", "state"]
)
def test_a_field_that_is_named_after_a_credential_is_left_out_however_short(opened: Open, name: str) -> None:
    stream = opened()
    structlog.get_logger().bind(**{name: "hunter2"}).info("event")
    assert "hunter2" not in stream.getvalue()
    assert LEFT_OUT in stream.getvalue()


@pytest.mark.parametrize(
    "text", [CODE, f"Bearer {CODE[:9]}", "Basic aHVudGVyMg==", f"/alexa/authorize?state={CODE[:9]}", f"aoa_rt_{CODE}", "0f" * 32]
)
def test_o02_o03_what_looks_like_a_credential_is_left_out_under_any_name(opened: Open, text: str) -> None:
    stream = opened()
    structlog.get_logger().info(f"found {text} there", path=text, many=[text])
    logging.getLogger("library").error("found %s there", text)
    assert CODE[:9] not in stream.getvalue()
    assert "aHVud" not in stream.getvalue()
    assert "0f0f" not in stream.getvalue()
    assert stream.getvalue().count(LEFT_OUT) == 4


@pytest.mark.parametrize(
    "name",
    ["ha:0123456789abcdef0123456789abcdef", "amzn1.account.AGM6WJ4MSDDE2LFO7QNIVXYZABCD", "2001:db8::1", "(did you mean it?)"],
)
def test_subjects_addresses_and_questions_are_not_mistaken_for_credentials(name: str) -> None:
    stream = as_json()
    structlog.get_logger().info("event", subject=name)
    assert only_line(stream)["subject"] == name


def test_a_record_that_holds_credentials_is_logged_as_its_type_alone(opened: Open) -> None:
    stream = opened()
    structlog.get_logger().info(
        "event", answer=TokenResponse("hunter2", 1, "hunter2", ()), octets=b"hunter2", map={"a": "hunter2"}
    )
    assert "hunter2" not in stream.getvalue()
    assert "[TokenResponse]" in stream.getvalue()


def fail_with_a_secret() -> None:
    password = "hunter2"
    try:
        int(password)
    except ValueError as error:
        raise OSError(28, "No space left on device") from error


def test_o08_a_traceback_names_places_and_shows_no_local_variable_source_line_or_value(opened: Open) -> None:
    stream = opened()
    try:
        fail_with_a_secret()
    except OSError as error:
        group = ExceptionGroup("several", [error, KeyError("hunter2")])
        structlog.get_logger().exception("request.failed")
        structlog.get_logger().error("request.failed", exc_info=error)
        structlog.get_logger().error("request.failed", exc_info=(OSError, error, error.__traceback__))
        structlog.get_logger().error("request.failed", exc_info=group)
        logging.getLogger("library").exception("It failed")
    assert len(stream.getvalue().splitlines()) == 5
    for line in stream.getvalue().splitlines():
        assert "hunter2" not in line
        assert "int(password)" not in line
        assert "in fail_with_a_secret" in line
        assert "OSError" in line
        assert "ValueError at tests/test_log.py" in line
    assert stream.getvalue().count("No space left on device") == 4


def test_a_chain_of_exceptions_that_bites_its_tail_ends() -> None:
    stream = as_json()
    first, second = OSError("first"), OSError("second")
    first.__cause__, second.__cause__ = second, first
    structlog.get_logger().error("event", exc_info=first)
    assert only_line(stream)["raised"] == "OSError: first at no place < OSError: second at no place"


def test_what_a_library_repeats_of_a_request_is_left_out(opened: Open) -> None:
    stream = opened()
    error = http_exceptions.InvalidHeader("Cookie: hunter2")
    logging.getLogger("aiohttp.server").error("Error handling request", exc_info=error)
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=OSError('hunter2')>")
    assert "InvalidHeader" in stream.getvalue()
    assert "Task exception was never retrieved" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_a_librarys_broken_line_does_not_tell_its_arguments_on_standard_error(
    opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    opened()
    logging.getLogger("library").error("%d", "hunter2")
    assert capsys.readouterr() == ("", "")


async def test_debug_lines_of_libraries_with_sql_parameters_never_appear(opened: Open) -> None:
    stream = opened("debug")
    async with aiosqlite.connect(":memory:") as database:
        await database.execute("SELECT ?", ("hunter2",))
    logging.getLogger("aiohttp.access").error("GET /alexa/authorize hunter2")
    logging.getLogger("asyncio").debug("Using selector")
    assert stream.getvalue() == ""


def test_an_audit_event_becomes_a_line_with_the_names_that_readers_know() -> None:
    stream = as_json("info")
    log_events(
        [
            Event(
                EventName.TOKEN_REFUSED,
                attempt="ab12cd34",
                client_id="amazon-alexa",
                grant_id="0123456789abcdef",
                reason=Reason.CODE_USED,
                address="192.0.2.7",
                count=3,
                detail={"redirect_uri": "https://a.example/", "reason": "other", "event": "other", "level": "other"},
            )
        ]
    )
    line = only_line(stream)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    del line["timestamp"]
    assert line == {
        "level": "warning",
        "event": "token.refused",
        "attempt": "ab12cd34",
        "client_id": "amazon-alexa",
        "link": "0123456789abcdef",
        "reason": "code_used",
        "address": "192.0.2.7",
        "count": 3,
        "redirect_uri": "https://a.example/",
    }


def test_refusals_failures_reuse_and_ends_are_warnings_and_the_rest_is_information() -> None:
    stream = as_json("warning")
    log_events([Event(name) for name in EventName])
    warned = {json.loads(line)["event"].rpartition(".")[2] for line in stream.getvalue().splitlines()}
    assert warned == {"refused", "failed", "reused", "ended", "doubted", "adopted", "unknown"}


@given(
    fields=st.dictionaries(
        st.text("abcdefgh_", min_size=1),
        st.text() | st.integers() | st.booleans() | st.none() | st.floats() | st.lists(st.text()),
    )
)
def test_plain_text_is_what_structlog_writes_without_colours(fields: dict[str, Any]) -> None:
    own, theirs = io.StringIO(), io.StringIO()
    configure("info", "console", own)
    processors = structlog.get_config()["processors"]
    structlog.get_logger().info("token.refreshed", **fields)
    end = structlog.dev.ConsoleRenderer(colors=False, sort_keys=False, pad_event_to=0)
    structlog.configure(processors=[*processors[:-1], end], logger_factory=structlog.WriteLoggerFactory(theirs))
    structlog.get_logger().info("token.refreshed", **fields)
    stamp = len("2026-11-25T19:17:43.850633Z")
    assert own.getvalue()[stamp:] == theirs.getvalue()[stamp:]


def test_a_closed_pipe_costs_nobody_an_answer() -> None:
    stream = io.StringIO()
    configure("info", "json", stream)
    stream.close()
    log_events([Event(EventName.TOKEN_ISSUED)])
    logging.getLogger("library").error("unheard")


def test_a_terminal_that_cannot_show_a_character_shows_its_escape() -> None:
    octets = io.BytesIO()
    configure("info", "console", io.TextIOWrapper(octets, encoding="ascii"))
    structlog.get_logger().info("event", name="Küche")
    assert b"K\\xfcche" in octets.getvalue()
