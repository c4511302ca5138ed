"""How an application is served: aiohttp's runner, with what it tells strangers by default left out."""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from alexa_oauth.web.middleware import malformed_answer

SHUTDOWN_SECONDS: Final = 2.0
KEEPALIVE_SECONDS: Final = 75.0


class _QuietHandler(RequestHandler):
    """Answers what is no HTTP without repeating it, in the answer or in the log."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,  # noqa: ARG002 - it quotes what was sent
        message: str | None = None,  # noqa: ARG002 - it quotes what was sent
    ) -> web.StreamResponse:
        """Close the connection after a plain refusal."""
        if request.writer.output_size > 0:
            raise ConnectionError
        response = malformed_answer(status)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer. Only what aiohttp refuses before any handler arrives as an exception, and quotes a header field."""
        answer = malformed_answer(resp.status) if isinstance(resp, Exception) else resp
        return await super().finish_response(request, answer, start_time)


class _QuietServer(web.Server):
    def __call__(self) -> RequestHandler:
        return _QuietHandler(self, loop=self._loop, **self._kwargs)


class QuietRunner(web.AppRunner):
    """An `AppRunner` without an access log (it would hold queries), and that ends within seconds."""

    def __init__(self, app: web.Application) -> None:
        """Bodies are left compressed, since no endpoint takes such."""
        super().__init__(
            app,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=KEEPALIVE_SECONDS,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        loop = asyncio.get_running_loop()
        return _QuietServer(made.request_handler, request_factory=made.request_factory, loop=loop, **self._kwargs)
