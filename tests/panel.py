"""People at the panel: those who came by the one-time link, and those whom Home Assistant lets in."""

from dataclasses import dataclass, field, replace
from typing import Final

from alexa_oauth.announcement import new_admin_link
from alexa_oauth.app import entropy
from tests.rig import Answer, Browser, Rig

ANNA: Final = "0123456789abcdef0123456789abcdef"
BERT: Final = "fedcba9876543210fedcba9876543210"
PATH: Final = "/api/hassio_ingress/xUnEz2QbsRUzy-Vk_mVsmcj7Xg"
"""Under which the browser sees the panel inside Home Assistant."""


@dataclass(slots=True)
class Guest(Browser):
    """Somebody at the panel. `said` are header fields of every request, as the gateway adds them."""

    said: dict[str, str] = field(default_factory=dict)
    csrf: str = ""

    async def open(self, path: str = "/", **headers: str) -> Answer:
        """Look at a page; its CSRF value is kept for the next change."""
        answer = await self.send("GET", path, None, **{**self.said, **headers})
        self.csrf = answer.hidden.get("csrf", self.csrf)
        return answer

    async def change(self, path: str, **fields: str) -> Answer:
        """Send the form of the page that was opened last."""
        return await self.post(path, {"csrf": self.csrf, **fields})

    async def post(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """Send a form as it is."""
        return await self.send("POST", path, form, **{**self.said, **headers})


def at_the_panel(rig: Rig, **said: str) -> Guest:
    """Somebody who knocks at the admin listener and says that of themselves."""
    return Guest(replace(rig, origin=rig.admin_origin), said=said)


def home_assistant_user(rig: Rig, user_id: str = ANNA, name: str = "Anna") -> Guest:
    """Somebody whom Home Assistant let in, as its gateway tells it."""
    return at_the_panel(rig, X_Remote_User_Id=user_id, X_Remote_User_Display_Name=name, X_Ingress_Path=PATH)


async def link_to(rig: Rig) -> str:
    """The path of a new one-time link."""
    link = await rig.server.store.write(lambda tx: new_admin_link(tx, entropy, ""))
    return str(link)


async def by_link(rig: Rig) -> Guest:
    """Somebody who opened the one-time link of the start text."""
    guest = at_the_panel(rig)
    answer = await guest.send("GET", await link_to(rig))
    assert (answer.status, '<meta http-equiv="refresh" content="0; url=/">' in answer.text) == (200, True)
    return guest
