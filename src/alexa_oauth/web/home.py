"""GET /: a page for whoever finds the address."""

from aiohttp import web

from alexa_oauth.web.answers import page_answer
from alexa_oauth.web.language import spoken_in, texts_for
from alexa_oauth.web.parts import PARTS


async def home(request: web.Request) -> web.Response:
    """What this is, and nothing else."""
    parts = request.app[PARTS]
    texts = texts_for(request)
    return page_answer(parts.pages, parts.pages.home(parts.version, texts), headers=spoken_in(texts))
