"""What Home Assistant's Supervisor is asked for by an add-on: to keep one of its own options."""

import asyncio
from typing import Any, Final

import aiohttp

from alexa_oauth.outbound import Outbound
from alexa_oauth.protocol.errors import OptionsNotKept

ORIGIN: Final = "http://supervisor"


class AddOnOptions:
    """The options of this add-on, as they stand on its Configuration tab. They count from the next start."""

    def __init__(self, outbound: Outbound, token: str) -> None:
        """`token` is what the Supervisor handed to this container."""
        self._outbound = outbound
        self._headers = {"Authorization": f"Bearer {token}"}
        self._one_at_a_time = asyncio.Lock()

    async def add_vendor_id(self, vendor_id: str) -> None:
        """Add it to the option `vendor_ids`, beside all that is there. `OptionsNotKept`, with the Supervisor's own words."""
        try:
            async with self._one_at_a_time:
                options = await self._read()
                present = options.get("vendor_ids") or []
                if vendor_id not in present:
                    await self._write({**options, "vendor_ids": [*present, vendor_id]})
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise OptionsNotKept(f"the Supervisor did not answer ({type(error).__name__})") from error

    async def _read(self) -> dict[str, Any]:
        async with self._outbound.session().get(f"{ORIGIN}/addons/self/info", headers=self._headers) as answer:
            options: dict[str, Any] = _data_of(await answer.json()).get("options") or {}
            return options

    async def _write(self, options: dict[str, Any]) -> None:
        url, body = f"{ORIGIN}/addons/self/options", {"options": options}
        async with self._outbound.session().post(url, json=body, headers=self._headers) as answer:
            _data_of(await answer.json())


def _data_of(answer: dict[str, Any]) -> dict[str, Any]:
    if answer.get("result") != "ok":
        raise OptionsNotKept(str(answer.get("message", "the Supervisor refused"))[:200])
    data: dict[str, Any] = answer.get("data") or {}
    return data
