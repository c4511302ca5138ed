"""What the server does by itself while it runs: tidy up, mend, and write down what was only counted."""

import asyncio
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime

import aiohttp
import structlog

from alexa_oauth.app import Server, entropy
from alexa_oauth.protocol.credentials import new_client_secret
from alexa_oauth.protocol.errors import StartRefused, StorageUnavailable
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.ports import Transaction

_log = structlog.get_logger(__name__)


class Upkeep:
    """The duties of one server; each is a plain coroutine, so that tests need no time to pass."""

    def __init__(self, server: Server) -> None:
        """Duties for that server."""
        self._server = server
        self._doubted = False
        self._prepared = False
        self._told_of_copy: Event | None = None
        self._hindrances: set[str] = set()

    async def run(self) -> None:
        """Do every duty at its interval, until cancelled. `StartRefused`: the database, once it opened, is beyond help."""
        duties = (
            (1, self.reload_clients),
            (1, self.refresh_keys),
            (1, self.put_restored_in_place),
            (5, self.mend_store),
            (5, self.watch_clock),
            (60, self.write_refusals),
            (60, self.write_activity),
            (60, self.sweep),
            (60, self.renew_keys),
            (60, self.copy_daily),
            (60, self.ask_for_the_date),
            (60, self.look_out),
        )
        try:
            # A group, unlike `gather`, ends after the last of its tasks: the store is closed next.
            async with asyncio.TaskGroup() as running:
                for interval, duty in duties:
                    running.create_task(_repeat(interval, duty))
        except ExceptionGroup as refused:
            raise refused.exceptions[0] from None

    async def reload_clients(self) -> None:
        """Take up changes of `oauth_clients.json`; a broken file leaves things as they are and says where it is broken."""
        self._server.definitions.reload_if_changed()

    async def refresh_keys(self) -> None:
        """Take up keys that a command changed."""
        if self._server.store.opened is not None:
            await self._server.store.opened.keys.refresh()

    async def put_restored_in_place(self) -> None:
        """Let a backup that was made ready take the place of the database, while `/health` goes on to answer."""
        store = self._server.store
        if store.opened is None or not store.opened.is_to_be_replaced():
            return
        await store.reopen()
        self._prepared = False
        if store.opened is not None:
            _log.warning("backup.restored", kept=store.opened.replaced.name if store.opened.replaced else None)
            await self.prepare()

    async def copy_daily(self) -> None:
        """Make the day's copy of the database. A failed one is told, and tried again; in doubt nobody knows the day."""
        opened = self._server.store.opened
        if opened is None or self._server.clock.instant().doubtful:
            return
        try:
            made = await opened.daily_copy()
        except (StorageUnavailable, StartRefused) as error:
            _log.error("backup.failed", problem=str(error))
            await self._tell_of_copy(Event(EventName.BACKUP_FAILED, detail={"problem": str(error)}))
        else:
            if made is not None:
                await self._tell_of_copy(Event(EventName.BACKUP_MADE, detail={"copy": made.name}))

    async def _tell_of_copy(self, told: Event) -> None:
        """Once, however often a copy fails in the same way."""
        if told != self._told_of_copy:
            await self._server.store.write(lambda tx: tx.events.record(told))
            self._told_of_copy = told

    async def renew_keys(self) -> None:
        """Go on with a rotation of the data keys."""
        if self._server.store.opened is not None:
            await self._server.store.opened.keys.renew()

    async def mend_store(self) -> None:
        """Open a database that could not be opened, try whether one that could not be written can be written again."""
        store = self._server.store
        store.try_to_open()
        if store.opened is not None and store.checks()["database"] != "ok":
            await store.opened.probe()
        if not self._prepared:
            await self.prepare()

    async def watch_clock(self) -> None:
        """Note that the clock is doubted, and believe it again when that is possible without asking anyone."""
        is_doubtful = self._server.clock.instant().doubtful
        if is_doubtful and not self._doubted:
            await self._server.store.write(lambda tx: tx.events.record(Event(EventName.CLOCK_DOUBTED)))
        self._doubted = is_doubtful
        await self._server.clock.settle(self._server.store)

    async def prepare(self) -> None:
        """Once the database is open: the built-in client has a secret, what an earlier run did in doubt is put right.

        An adopted copy is told of in the audit trail.
        """
        await self._server.store.write(self._prepare)
        self._prepared = True

    def _prepare(self, tx: Transaction) -> None:
        as_of = self._server.adopted_as_of
        if as_of is not None:
            tx.events.record(Event(EventName.DATABASE_ADOPTED, detail={"as_of": as_of}))
        client_id = self._server.settings.client_id
        client = tx.clients.find(client_id)
        if client is not None and not client.is_public and not client.secret_digests:
            tx.clients.ensure_secret(client_id, new_client_secret(entropy))
        if not tx.instant.doubtful:
            tx.grants.settle_instants(tx.now, 0)

    async def write_refusals(self) -> None:
        """Write the refusals that were only counted, one summed event each."""
        ledger = self._server.recorder.ledger
        events = ledger.drain()
        if not events:
            return

        def write(tx: Transaction) -> None:
            for event in events:
                tx.events.record_told(event)

        try:
            await self._server.store.write(write)
        except StorageUnavailable:
            ledger.restore(events)
            raise
        ledger.written()

    async def write_activity(self) -> None:
        """Add what was counted to the present hour's row; a minute in which nothing happened costs no write."""
        metrics = self._server.recorder.metrics
        unwritten = metrics.drain()
        if not unwritten:
            return
        try:
            await self._server.store.write(lambda tx: tx.activity.add(unwritten))
        except StorageUnavailable:
            metrics.restore(unwritten)
            raise

    async def look_out(self) -> None:
        """See what is unusual, which the pages of the panel then tell, and Home Assistant if it is to be told."""
        found = await self._server.lookout.look()
        notifications = self._server.notifications
        problem = await notifications.tell(found) if notifications is not None else None
        self._server.lookout.hindrance = problem
        if problem is None:
            self._hindrances.clear()
        elif problem not in self._hindrances:
            _log.warning("notifications.failed", problem=problem)
            self._hindrances.add(problem)

    async def leave_copy(self) -> None:
        """Copy the database if Home Assistant may archive the folder: of an add-on that is stopped it asks for no copy."""
        if self._server.supervised and self._server.store.opened is not None:
            await self._server.store.opened.copy()

    async def sweep(self) -> None:
        """Forget what has had its time."""
        if self._server.store.opened is not None:
            await self._server.store.opened.sweep()

    async def ask_for_the_date(self) -> None:
        """While in doubt, compare the clock with the `Date` of machines that the household reaches us by."""
        if not self._server.clock.doubtful:
            return
        settings = self._server.settings
        for url in filter(None, (settings.public_url, settings.home_assistant_url)):
            date = await _date_at(self._server.outbound.session(), url)
            if date is not None:
                await self._server.clock.settle(self._server.store, date)


async def _repeat(interval: float, duty: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(interval)
        try:
            await duty()
        except StorageUnavailable:
            continue
        except StartRefused:
            raise
        except Exception:  # noqa: BLE001 - one duty that fails must not end the server, nor the other duties
            _log.exception("upkeep.failed", duty=duty.__name__)


async def _date_at(session: aiohttp.ClientSession, url: str) -> int | None:
    """The `Date` header of whatever answers there, in seconds since 1970."""
    try:
        async with session.head(url, allow_redirects=False) as answer:
            return int(parsedate_to_datetime(answer.headers["Date"]).timestamp())
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return None
