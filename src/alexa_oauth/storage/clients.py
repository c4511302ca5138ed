"""Client secrets that this server made; what else is known of a client comes from its definition."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from alexa_oauth.protocol.credentials import secret_digest
from alexa_oauth.protocol.models import Client
from alexa_oauth.storage.connection import Connection

FORMER_SECRET_SECONDS: Final = 7 * 86_400
"""How long a replaced secret stays good: Alexa uses it until the developer console has the new one."""

_FIND: Final = "SELECT sealed FROM client_secrets WHERE client_id = ?"
_KEEP: Final = "INSERT INTO client_secrets (client_id, sealed) VALUES (?, ?) ON CONFLICT DO UPDATE SET sealed = excluded.sealed"

_ADD_VENDOR_ID: Final = "INSERT OR IGNORE INTO vendor_ids (vendor_id) VALUES (?)"
_VENDOR_IDS: Final = "SELECT vendor_id FROM vendor_ids ORDER BY rowid"


@dataclass(frozen=True, slots=True)
class _Secrets:
    secret: str = field(repr=False)
    former: str | None = field(repr=False)
    former_ends_at: int


class ClientRows:
    """The registered clients: definitions as configured, completed with the secret kept here."""

    def __init__(self, connection: Connection, definitions: Callable[[], Mapping[str, Client]]) -> None:
        """`definitions` is asked at each look-up, since the clients file may change while the server runs."""
        self._connection = connection
        self._definitions = definitions
        self._opened: dict[str, tuple[bytes, _Secrets]] = {}

    def find(self, client_id: str) -> Client | None:
        """The client; a confidential one without a configured secret gets the one that was made here."""
        client = self._definitions().get(client_id)
        if client is None or client.is_public or client.secret_digests:
            return client
        return replace(client, secret_digests=self._secret_digests(client_id))

    def ensure_secret(self, client_id: str, fresh: str) -> None:
        """Give the client its first secret; one that it has already stays."""
        if self._open(client_id) is None:
            self._keep(client_id, fresh, None)

    def show_secret(self, client_id: str) -> str | None:
        """The client's present secret in clear, for the developer console."""
        kept = self._open(client_id)
        return None if kept is None else kept.secret

    def replace_secret(self, client_id: str, fresh: str, *, at_once: bool) -> None:
        """Change the secret; unless `at_once`, the former one stays good for `FORMER_SECRET_SECONDS`."""
        self._keep(client_id, fresh, None if at_once else self.show_secret(client_id))

    def add_vendor_id(self, vendor_id: str) -> None:
        """Keep a developer account beside those of the settings."""
        self._connection.execute(_ADD_VENDOR_ID, (vendor_id,))

    def vendor_ids(self) -> tuple[str, ...]:
        """The developer accounts that are kept here."""
        return tuple(vendor_id for (vendor_id,) in self._connection.execute(_VENDOR_IDS))

    def _secret_digests(self, client_id: str) -> tuple[bytes, ...]:
        kept = self._open(client_id)
        if kept is None:
            return ()
        secrets = [kept.secret]
        instant = self._connection.instant
        # What ends later than it could was written while the clock was ahead: it is old, too.
        if kept.former is not None and (instant.doubtful or 0 < kept.former_ends_at - instant.now <= FORMER_SECRET_SECONDS):
            secrets.append(kept.former)
        return tuple(secret_digest(secret) for secret in secrets)

    def _keep(self, client_id: str, secret: str, former: str | None) -> None:
        body = {"secret": secret, "former": former, "former_ends_at": self._connection.now + FORMER_SECRET_SECONDS}
        self._connection.execute(_KEEP, (client_id, self._connection.ring.sealing.seal("client_secrets", client_id, body)))

    def _open(self, client_id: str) -> _Secrets | None:
        """The secrets of a client, opened once for each state of its row: every token request asks for them."""
        row = self._connection.execute(_FIND, (client_id,)).fetchone()
        if row is None:
            return None
        opened = self._opened.get(client_id)
        if opened is None or opened[0] != row[0]:
            body = self._connection.ring.sealing.open("client_secrets", client_id, row[0])
            opened = (row[0], _Secrets(body["secret"], body["former"], body["former_ends_at"]))
            self._opened[client_id] = opened
        return opened[1]
