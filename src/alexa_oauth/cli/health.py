"""`health`: the running server's own answer as an exit status."""

import http.client
import json
import ssl
from typing import Final
from urllib.parse import urlsplit

from alexa_oauth.cli.context import FAILED, CommandFailed, Context
from alexa_oauth.cli.printing import printable
from alexa_oauth.settings.table import Settings, origin_here

_PATIENCE_SECONDS: Final = 5


def health(context: Context) -> int:
    """0 if `/health` is 200; with `--live` also if it answers anything else."""
    settings = context.settings
    if settings.port == 0:
        raise CommandFailed("port is 0, so nobody knows where the server listens; set a port")
    origin = origin_here(settings.host, settings.port, tls=settings.ssl)
    try:
        status, body = ask_health(settings)
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise CommandFailed(f"nothing answers at {origin}/health ({why})") from error
    print(_in_words(status, body))
    return 0 if context.arguments.live or status == http.client.OK else FAILED


def ask_health(settings: Settings) -> tuple[int, bytes]:
    """Status and body that the server of this machine answers. `OSError`, `HTTPException`: nothing of the kind answers."""
    url = urlsplit(origin_here(settings.host, settings.port, tls=settings.ssl))
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_PATIENCE_SECONDS)
    if url.scheme == "https":
        # The certificate is for the public name; what is asked here is this machine itself.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=_PATIENCE_SECONDS, context=context)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _in_words(status: int, body: bytes) -> str:
    """The checks that failed, or that all is well."""
    try:
        answer = json.loads(body)
        failing = [f"{name}: {outcome}" for name, outcome in answer["checks"].items() if outcome != "ok"]
        return printable(f"{answer['status']}{': ' if failing else ''}{', '.join(failing)}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"something else than this server answered, with status {status}"
