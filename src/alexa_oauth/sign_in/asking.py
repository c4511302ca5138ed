"""One question to another service: small answers within seconds, and no fault that quotes what was sent or received."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

ANSWER_BYTES: Final = 64 * 1024
NAME_CHARACTERS: Final = 80

Session = Callable[[], aiohttp.ClientSession]

_UNREADABLE: Final = (ValueError, LookupError, TypeError, AttributeError)
"""What the JSON reader and a look into the result say of an answer in another shape; their words may quote it."""


class Unreachable(Exception):
    """The service does not answer, or not as it does; the message is for the operator and holds nothing that was sent."""


class Odd(Exception):
    """An answer that is none of the service's, in words that may be told."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, where. Of `form` and `json` one at most is sent; either, as `query` and `headers`, may hold secrets."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is empty unless it is a JSON object."""

    status: int
    body: Mapping[str, Any] = field(repr=False)


@asynccontextmanager
async def answering(service: str, seconds: float) -> AsyncIterator[None]:
    """Whatever goes wrong in the block, or takes longer, is `Unreachable`; what is told of it quotes neither side."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unreachable(f"{service}: no answer within {seconds:g} s") from error
    except Odd as odd:
        raise Unreachable(f"{service}: {odd}") from odd
    except aiohttp.WSServerHandshakeError as error:
        raise Unreachable(f"{service}: {error.status}, {error.message}") from error
    except aiohttp.ClientResponseError as error:  # in its own words it tells the whole URL, with what was asked
        raise Unreachable(f"{service}: its answer is no HTTP ({error.status})") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"{service}: {error}") from error
    except _UNREADABLE as error:
        raise Unreachable(f"{service}: its answer cannot be understood ({type(error).__name__})") from error


async def ask(session: aiohttp.ClientSession, question: Question) -> Answer:
    """Ask, within `answering`. A redirect is an answer like any other: nobody passes on what was meant for this service."""
    async with session.request(
        question.method,
        question.url,
        headers=question.headers,
        params=question.query,
        data=question.form,
        json=question.json,
        allow_redirects=False,
    ) as response:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise Odd("its answer is too large")
        return Answer(response.status, _object(body) if response.content_type == "application/json" else {})


def _object(body: bytearray) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def shown(name: object, otherwise: str) -> str:
    """A name as pages and the log can show it: services allow any characters, and none."""
    printable = "".join(character for character in str(name or "") if character.isprintable()).strip()
    return printable[:NAME_CHARACTERS] or otherwise
