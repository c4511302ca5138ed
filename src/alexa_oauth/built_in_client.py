"""The built-in client as the panel shows and changes it: its secret, and the developer accounts whose skills it is."""

from typing import Final

from alexa_oauth.admin.sightings import Sightings
from alexa_oauth.clients.definitions import ClientDefinitions, ClientSettings, configured_secret
from alexa_oauth.protocol.account_linking import ClientSecret
from alexa_oauth.protocol.events import Event, EventName
from alexa_oauth.protocol.ports import Store, Transaction
from alexa_oauth.supervisor import AddOnOptions


class BuiltInClient:
    """That of one server. Developer accounts that are added here count at once, and are kept where the others stand."""

    def __init__(
        self, settings: ClientSettings, definitions: ClientDefinitions, sightings: Sightings, options: AddOnOptions | None
    ) -> None:
        """Keep them in the add-on's options, or else in the database; `definitions` learns of them at once."""
        self.client_id: Final = settings.client_id
        self.sightings: Final = sightings
        self._settings = settings
        self._definitions = definitions
        self._options = options

    @property
    def follows_vendor_ids(self) -> bool:
        """Whether they decide where it may send people; not if the clients file replaces it."""
        return self._definitions.follow_vendor_ids

    @property
    def is_of_an_add_on(self) -> bool:
        """Whether the settings stand on the Configuration tab of an add-on."""
        return self._options is not None

    def configured_secret(self) -> ClientSecret | None:
        """Its secret as the operator wrote it down; `None` if the server makes it, in the database."""
        return configured_secret(self._settings, self._definitions.definitions()[self.client_id])

    async def add_vendor_id(self, store: Store, vendor_id: str, by: str) -> None:
        """Add one, in the name of the person. `OptionsNotKept` or `StorageUnavailable`: nothing was added."""
        options = self._options
        if options is not None:
            await options.add_vendor_id(vendor_id)

        def keep(tx: Transaction) -> None:
            if options is None:
                tx.clients.add_vendor_id(vendor_id)
            tx.events.record(Event(EventName.VENDOR_ID_ADDED, detail={"vendor_id": vendor_id}).by(by))

        await store.write(keep)
        self._definitions.add_vendor_ids([vendor_id])
        self.sightings.forget(vendor_id)
