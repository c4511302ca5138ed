"""Links whose refresh token was rotated, and whether anything of them lives.

C1 rotates at every use and allows a retry for 30 s, C3 rotates without any window; Alexa's refresh token rotates after seven
days, and the predecessor works until the head is used, and one hour longer.
"""

from typing import Any, Final

from tests.rig import Rig

HOUR: Final = 3_600
DAY: Final = 86_400
INVALID_GRANT: Final = (400, "invalid_grant")

Tokens = dict[str, Any]
"""A token response."""


async def rotated(rig: Rig, client_id: str, times: int = 1) -> list[Tokens]:
    """A link and what its rotations answered, oldest first; no new token was used yet."""
    answers = [await rig.link(client_id)]
    for _ in range(times):
        if client_id == "alexa":
            rig.clocks.advance(7 * DAY + 1)
        answers.append(await refreshed(rig, answers[-1], client_id))
    assert len({answer["refresh_token"] for answer in answers}) == times + 1
    return answers


async def refreshed(rig: Rig, tokens: Tokens, client_id: str) -> Tokens:
    answer = await rig.refresh(tokens["refresh_token"], client_id)
    assert answer.status == 200, answer.text
    return dict(answer.json)


async def is_refused(rig: Rig, tokens: Tokens, client_id: str) -> bool:
    """Whether the refresh token is refused; anything but a success or exactly the right refusal fails here."""
    answer = await rig.refresh(tokens["refresh_token"], client_id)
    if answer.status == 200:
        return False
    assert (answer.refusal, answer.json["error_description"]) == (INVALID_GRANT, "Invalid or expired refresh token")
    return True


async def assert_dead(rig: Rig, client_id: str, *answers: Tokens) -> None:
    """No token of the grant does anything any more."""
    assert not any([await rig.is_live(answer["access_token"]) for answer in answers])
    assert {(await rig.verify(answer["access_token"])).status for answer in answers} == {401}
    assert all([await is_refused(rig, answer, client_id) for answer in answers])
