"""A reverse proxy that nobody configured makes itself known, and the operator is told what to set."""

from alexa_oauth.protocol.events import EventName
from alexa_oauth.web.parts import UnknownProxies
from tests.rig import Rig


async def test_a_proxy_that_nobody_configured_is_told_of_once_with_what_to_set(rig: Rig) -> None:
    for _ in range(3):
        await rig.post("/alexa/token", "C1", {"grant_type": "refresh_token"}, X_Forwarded_For="192.0.2.1")
    (told,) = await rig.audit(EventName.PROXY_UNKNOWN)
    assert (told.address, told.count) == ("127.0.0.1", 1)
    assert "add 127.0.0.1 to trusted_proxies" in told.detail["advice"]


def test_strangers_who_pretend_to_be_proxies_fill_neither_log_nor_memory() -> None:
    reported: list[str] = []
    unknown = UnknownProxies(lambda event: reported.append(event.address or ""))
    for number in range(1_000):
        unknown.note(f"2001:db8::{number:x}")
    assert len(reported) == 32
