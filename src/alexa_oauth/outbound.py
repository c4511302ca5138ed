"""Asking other machines: one HTTP client for the whole server, which does nothing by itself."""

import ssl
from types import SimpleNamespace
from typing import Final

import aiohttp

LONGEST_SECONDS: Final = 10
"""No question takes longer; who asks sets a shorter limit."""


class Outbound:
    """Makes its session when it is first needed: a server that asks nobody pays nothing for it.

    The session keeps no cookies, takes no proxy from the environment, and follows no redirect, that of a WebSocket included:
    whoever answers at an address must not pass on, to an address of their choice, what was meant for the first one.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        """The session, open until `close`."""
        if self._session is None:
            tracing = aiohttp.TraceConfig()
            tracing.on_request_redirect.append(_refuse)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=ssl.create_default_context()),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=LONGEST_SECONDS),
                trace_configs=[tracing],
                headers={"Accept-Encoding": "identity", "User-Agent": "alexa-oauth"},
                auto_decompress=False,
            )
        return self._session

    async def close(self) -> None:
        """End the connections that are still open."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _refuse(_: aiohttp.ClientSession, __: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams) -> None:
    redirect.response.close()
    raise aiohttp.ClientError(f"it redirects ({redirect.response.status}), which is not followed")
