"""The log: one event a line on standard output, as JSON or for the eye, and never a credential in it.

Nobody hands a credential to the log on purpose. What is here is the second line of defence, for the day on which somebody
does by mistake, and against callers who write line breaks or terminal commands into what is logged of them.
"""

import io
import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor

from alexa_oauth.protocol.events import Event, EventName

VALUE_CHARACTERS: Final = 1_000
LIST_ITEMS: Final = 20
FRAMES: Final = 12
_REMEMBERED_CHARACTERS: Final = 40
"""Shorter than a credential, so that none is kept in memory."""
LEFT_OUT: Final = "[left out]"

_WARNINGS: Final = frozenset(
    name for name in EventName if name.endswith((".refused", ".failed", ".reused", ".ended", ".doubted", ".adopted", ".unknown"))
)
_CREDENTIAL_WORDS: Final = frozenset(
    (
        *("authorization", "body", "challenge", "code", "cookie", "credential", "credentials", "csrf", "key", "passphrase"),
        *("password", "query", "referer", "secret", "state", "token", "verifier"),
    )
)
_CREDENTIAL: Final = r"(?i:basic|bearer) +\S+|\?[A-Za-z0-9%&=._~-]\S*|[A-Za-z0-9_-]{43,}"
"""An Authorization field, a query, or as many characters as 256 bits need: a code, a token, a verifier, a digest."""
_WHOLE: Final = re.compile(_CREDENTIAL)
_CUT: Final = re.compile(rf"{_CREDENTIAL}|[A-Za-z0-9_-]+\Z")
"""Where a text was cut, half a credential may be left, too short to be known as one."""
_QUOTED_ON_CONSOLES: Final = re.compile(r"""[ \t=\r\n"']""")
_encode: Final = json.JSONEncoder().encode


def configure(level: str, log_format: str, stream: TextIO) -> None:
    """Send all log lines to the stream: ours from `level` on, those of libraries from `warning` on.

    aiosqlite's debug lines carry the parameters of statements and aiohttp's carry requests, whatever our own level is.
    """
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    output = cast("TextIO", _Output(stream))
    end: list[Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _tidy,
        _renderer(log_format, colours=stream.isatty()),
    ]
    structlog.configure(
        processors=[structlog.processors.add_log_level, _tell_exception, *end],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=True,
    )
    _adopt_standard_logging(output, end)


def join_standard_logging() -> None:
    """Send our lines to the loggers of the application that we are part of, which says itself what is shown and where.

    What structlog does by itself would show local variables in tracebacks.
    """
    structlog.configure(
        processors=[_tell_exception, _tidy, structlog.processors.LogfmtRenderer(key_order=["event"], bool_as_flag=False)],
        wrapper_class=structlog.make_filtering_bound_logger("debug"),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def log_events(events: Sequence[Event]) -> None:
    """One line for each event of the audit trail."""
    logger = structlog.get_logger().bind()
    for event in events:
        log = logger.bind(**event.detail) if event.detail else logger
        tell = log.warning if event.name in _WARNINGS else log.info
        tell(str(event.name), **_said(event))


def _said(event: Event) -> dict[str, str | int]:
    known = (
        ("attempt", event.attempt),
        ("client_id", event.client_id),
        ("subject", event.subject),
        ("link", event.grant_id),
        ("reason", event.reason),
        ("address", event.address),
        ("count", event.count if event.count > 1 else None),
    )
    return {name: value for name, value in known if value is not None}


class _Output:
    """A stream that never fails its writer: a closed pipe or a full disk must not cost anybody an answer."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, line: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def _renderer(log_format: str, *, colours: bool) -> Processor:
    if log_format == "json":
        return _as_json
    if not colours:
        return _as_plain_text
    return structlog.dev.ConsoleRenderer(sort_keys=False, pad_event_to=0, exception_formatter=structlog.dev.plain_traceback)


def _as_json(_logger: object, _method: str, event: EventDict) -> str:
    """A tidy line holds nothing that JSON does not know."""
    return _encode(event)


def _as_plain_text(_logger: object, _method: str, event: EventDict) -> str:
    """What structlog's own renderer writes without colours, in a fifth of its time: every request waits for its line."""
    stamp, level, said = event.pop("timestamp"), event.pop("level"), event.pop("event")
    library = (f"[{event.pop('logger')}]",) if "logger" in event else ()
    fields = (f"{name}={_quoted(value)}" for name, value in event.items())
    return " ".join((f"{stamp} [{level:<9}] {said}", *library, *fields)).rstrip(" ")


def _quoted(value: object) -> str:
    return value if isinstance(value, str) and not _QUOTED_ON_CONSOLES.search(value) else repr(value)


def _adopt_standard_logging(output: TextIO, end: list[Processor]) -> None:
    handler = logging.StreamHandler(output)
    handler.setLevel(logging.WARNING)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.processors.add_log_level, _shorten_foreign],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *end],
            use_get_message=True,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("aiohttp.access").disabled = True
    # A line that cannot be formatted would be told on standard error, its arguments included.
    logging.raiseExceptions = False


def _shorten_foreign(_logger: object, _method: str, event: EventDict) -> EventDict:
    """A library's line without what it repeats: asyncio adds lines of calls with arguments, aiohttp errors with header fields."""
    event["logger"] = event["_record"].name
    event["event"] = event["event"].partition("\n")[0]
    event.pop("stack_info", None)
    raised = event.pop("exc_info", None)
    if raised and raised[1]:
        event["raised"] = " < ".join(_told(raised[1], with_text=False))
    return event


def _tell_exception(_logger: object, _method: str, event: EventDict) -> EventDict:
    """An exception as one short text, without local variables and lines of source."""
    given = event.pop("exc_info", None)
    raised = given if isinstance(given, BaseException) else sys.exception() if given else None
    if raised is not None:
        event["raised"] = " < ".join(_told(raised, with_text=True))
    return event


def _told(raised: BaseException | None, *, with_text: bool) -> Iterator[str]:
    """The exception, the ones that it holds, and the ones that it came from."""
    seen: set[int] = set()
    while raised is not None and id(raised) not in seen:
        seen.add(id(raised))
        yield f"{_named(raised, with_text=with_text)} at {_frames(raised)}"
        if isinstance(raised, BaseExceptionGroup):
            for held in raised.exceptions[:LIST_ITEMS]:
                yield from _told(held, with_text=with_text)
        raised = raised.__cause__ or (None if raised.__suppress_context__ else raised.__context__)


def _named(raised: BaseException, *, with_text: bool) -> str:
    """A ValueError or a LookupError repeats the value that it is about, and that may be a password: its text stays out."""
    name = type(raised).__name__
    if not with_text or isinstance(raised, (ValueError, LookupError)):
        return name
    return f"{name}: {raised}"


def _frames(raised: BaseException) -> str:
    """Files, lines and functions, the innermost first."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(raised.__traceback__)]
    told = (f"{'/'.join(Path(code.co_filename).parts[-2:])}:{line} in {code.co_name}" for code, line in reversed(frames))
    return ", ".join(islice(told, FRAMES)) or "no place"


def _tidy(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The line in the order in which it is read, each value safe to show."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    return {name: _safe(name, value) for name, value in (first | dict(event)).items()}


def _safe(name: str, value: object) -> object:
    """The value as a log may hold it. An unknown object shows its type alone: its `repr` may tell everything that it holds."""
    if _is_credential(name):
        return LEFT_OUT
    if isinstance(value, str):
        text = str(value)
        return _remembered_line(text) if len(text) <= _REMEMBERED_CHARACTERS else _one_line(text)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [_safe(name, item) for item in value[:LIST_ITEMS]]
    return f"[{type(value).__name__}]"


@lru_cache(maxsize=512)
def _is_credential(name: str) -> bool:
    return not _CREDENTIAL_WORDS.isdisjoint(name.lower().replace("-", "_").split("_"))


@lru_cache(maxsize=512)
def _remembered_line(text: str) -> str:
    """The same few clients, subjects, links and addresses come in line after line."""
    return _one_line(text)


def _one_line(text: str) -> str:
    """Cut, without credentials, and with everything escaped that ends a line or commands a terminal."""
    is_cut = len(text) > VALUE_CHARACTERS
    kept = (_CUT if is_cut else _WHOLE).sub(LEFT_OUT, text[:VALUE_CHARACTERS])
    if not kept.isprintable():
        kept = "".join(mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii") for mark in kept)
    return f"{kept}…" if is_cut else kept
