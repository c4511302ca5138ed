"""Someone with a browser at the consent page, who fills in what the page asks for."""

from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

import requests

from tests.running_server import RunningServer

TIMEOUT_SECONDS: Final = 20


class _Form(HTMLParser):
    """The form of a page: where it goes, and its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values["action"]
        elif tag == "input":
            self.fields[values["name"]] = values.get("value", "")


class Person:
    """A person in front of that server's pages. Each visit is a browser of its own, which keeps cookies."""

    def __init__(self, server: RunningServer) -> None:
        """A person who can read the terminal of the server."""
        self._server = server

    def approve(self, url: str) -> str:
        """Open the page, sign in if it asks for that, approve; the address to which the browser is sent back."""
        return self._answer(url, "approve")

    def deny(self, url: str) -> str:
        """Open the page and deny; the address to which the browser is sent back."""
        return self._answer(url, "deny")

    def _answer(self, url: str, decision: str) -> str:
        with requests.Session() as browser:
            page = browser.get(url, allow_redirects=False, timeout=TIMEOUT_SECONDS)
            assert page.status_code == 200, page.text
            form = _Form(page.text)
            fields = {**form.fields, "decision": decision}
            if decision == "approve" and "pairing_code" in fields:
                fields["pairing_code"] = self._server.pairing_code()
            back = browser.post(
                urljoin(url, form.action),
                data=fields,
                headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"},
                allow_redirects=False,
                timeout=TIMEOUT_SECONDS,
            )
            assert back.status_code == 303, back.text
            return back.headers["Location"]
