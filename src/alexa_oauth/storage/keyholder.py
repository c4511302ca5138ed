"""Who holds the keys of an open store: takes up what a command changed beside it, and changes keys itself."""

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from alexa_oauth.protocol.errors import StartRefused
from alexa_oauth.protocol.events import Event
from alexa_oauth.protocol.keeping import KeyStanding
from alexa_oauth.storage.backups.copied_keys import rewrap_copies
from alexa_oauth.storage.folder import NEXT_KEY, adopt_next_key, alone_in, write_key
from alexa_oauth.storage.keys import MASTER_KEY_BYTES, KeyRing, MasterKey, fresh_data_keys
from alexa_oauth.storage.opening import Opening, read_keys
from alexa_oauth.storage.rotation import (
    Place,
    add_data_keys,
    drop_useless,
    reseal_batch,
    retire,
    rewrap,
    standings,
)
from alexa_oauth.storage.transaction import Outcome, Rule, SqliteTransaction

_STATE: Final = "SELECT key_id, wrapped_by, retired_at FROM data_keys ORDER BY sequence"


class KeepsRows(Protocol):
    """The store, as far as its keys are concerned."""

    async def write(self, rule: Rule[Outcome]) -> Outcome:
        """Run the rule in a transaction of its own."""

    def read(self, rule: Rule[Outcome]) -> Outcome:
        """Run a rule that only reads."""


class Keyholder:
    """`ring` reads and makes what is in the rows; `master` wraps it."""

    def __init__(self, rows: KeepsRows, folder: Path, opening: Opening, keys: tuple[KeyRing, MasterKey]) -> None:
        """The keys of that store, as it was opened."""
        self.ring, self.master = keys
        self._rows = rows
        self._folder = folder
        self._opening = opening
        self._state: object = None
        self._renewed: KeyRing | None = None
        self._changing = asyncio.Lock()

    async def refresh(self) -> None:
        """Take up the keys that a command beside the server has added, retired or wrapped anew.

        In the instant in which a command changes the master key it may fit no file; the next look will find it.
        """
        if self._rows.read(_state) != self._state:
            with suppress(StartRefused):
                await self.reload()

    async def reload(self) -> None:
        """Read both layers of keys again. `StartRefused`: the master key is not there any more."""
        state = self._rows.read(_state)
        self.ring, self.master = self._rows.read(lambda tx: read_keys(tx.connection, self._folder, self._opening))
        await self._rows.write(self._give_ring)
        self._rows.read(self._give_ring)
        self._state = state

    def standings(self) -> list[KeyStanding]:
        """The keys of refresh tokens, newest first, and what still needs each."""
        return self._rows.read(standings)

    async def renew(self) -> None:
        """Bring everything under the newest data keys, batch by batch, and let those go that nothing needs."""
        await self.refresh()
        if self._renewed is not self.ring and self.ring.has_former_token_keys:
            place: Place | None = Place()
            while place is not None:
                place = await self._rows.write(partial(reseal_batch, place=place))
        self._renewed = self.ring
        if await self._rows.write(retire) + await self._rows.write(drop_useless):
            await self.reload()

    async def rotate_master(self, told: Event) -> None:
        """Make a new master key, which is a file in the folder, and wrap the data keys under it, in copies too: no token changes.

        A power cut leaves two key files at most, of which the database names the one that counts.
        """
        async with self._changing:
            with alone_in(self._folder):
                await self.reload()
                fresh = MasterKey(self._opening.entropy(MASTER_KEY_BYTES))
                write_key(self._folder / NEXT_KEY, fresh.secret)
                await self._wrap_under(fresh, told)
                adopt_next_key(self._folder)
            await self.reload()
            await asyncio.to_thread(rewrap_copies, self._folder)

    async def rotate_master_to(self, file: Path, told: Event) -> None:
        """Make a new master key in a file that settings will name; the server needs them changed before its next start."""
        async with self._changing:
            fresh = MasterKey(self._opening.entropy(MASTER_KEY_BYTES))
            write_key(file, fresh.secret)
            await self._wrap_under(fresh, told)
            await asyncio.to_thread(rewrap_copies, self._folder)

    async def rotate_data(self, told: Event) -> None:
        """Add new data keys, which make everything from now on."""
        async with self._changing:
            await self.reload()
            keys = fresh_data_keys(self._opening.entropy)

            def add(tx: SqliteTransaction) -> None:
                add_data_keys(tx, self.master, keys)
                tx.events.record(told)

            await self._rows.write(add)
            await self.reload()

    async def _wrap_under(self, fresh: MasterKey, told: Event) -> None:
        def wrap(tx: SqliteTransaction) -> None:
            rewrap(tx, self.master, fresh)
            tx.events.record(told)

        await self._rows.write(wrap)

    def _give_ring(self, tx: SqliteTransaction) -> None:
        tx.connection.ring = self.ring


def _state(tx: SqliteTransaction) -> object:
    return tx.connection.execute(_STATE).fetchall()
