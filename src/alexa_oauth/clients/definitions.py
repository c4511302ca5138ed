"""The registered clients: the built-in one, and those that the operator wrote into `oauth_clients.json`.

A mistake in that file is told with its line, all mistakes at once. At a start it is a fault of the start; later the clients
stay as they were until the file is mended.
"""

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Protocol

import structlog

from alexa_oauth.clients.entry import EntryRefused, Fault, read_entry
from alexa_oauth.clients.located_json import Member, NotAnObject, read_object, repeated
from alexa_oauth.protocol.account_linking import ClientSecret
from alexa_oauth.protocol.alexa import redirect_uris_for
from alexa_oauth.protocol.credentials import secret_digest
from alexa_oauth.protocol.models import Client, ClientType, PkceRule, RefreshProfile
from alexa_oauth.protocol.policy import SCOPES

FILE_BYTES: Final = 1_048_576

_log = structlog.get_logger(__name__)


class ClientSettings(Protocol):
    """The settings that say which clients there are."""

    @property
    def client_id(self) -> str:
        """The built-in client's id."""

    @property
    def client_secret(self) -> str | None:
        """The built-in client's secret, `None` if the server makes it."""

    @property
    def vendor_ids(self) -> tuple[str, ...]:
        """The developer accounts whose skills the built-in client is."""

    @property
    def clients_file(self) -> Path:
        """The file, which need not exist."""


class ClientsFileRefused(Exception):
    """The file cannot be used: one line for each fault, no secret in any."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class ClientsFileUnreadable(ClientsFileRefused):
    """Nothing is known of what the file says; it may be readable later without having changed."""


def built_in(client_id: str, vendor_ids: tuple[str, ...], client_secret: str | None) -> Client:
    """Alexa, as the developer console has it by default. Without vendor ids it has no redirect URI, and no link can begin."""
    return Client(
        client_id=client_id,
        client_type=ClientType.CONFIDENTIAL,
        redirect_uris=redirect_uris_for(vendor_ids),
        name="Amazon Alexa",
        scopes=SCOPES,
        pkce=PkceRule.OPTIONAL,
        refresh=RefreshProfile.OVERLAP,
        secret_digests=(secret_digest(client_secret),) if client_secret else (),
    )


def configured_secret(settings: ClientSettings, client: Client) -> ClientSecret | None:
    """The secret of a client as the operator wrote it down; `None` if the server makes it, in the database."""
    if client.is_public:
        return ClientSecret(None, "none: the client is public, PKCE protects it")
    if not client.secret_digests:
        return None
    if settings.client_secret and hmac.compare_digest(client.secret_digests[0], secret_digest(settings.client_secret)):
        return ClientSecret(settings.client_secret, "the setting client_secret")
    return ClientSecret(None, f"the file {settings.clients_file}")


class ClientDefinitions:
    """The clients as they are defined now."""

    def __init__(self, settings: ClientSettings) -> None:
        """Read the file. `ClientsFileRefused`."""
        self._path = settings.clients_file
        self._vendor_ids = settings.vendor_ids
        self._built_in = built_in(settings.client_id, settings.vendor_ids, settings.client_secret)
        self._state: tuple[int, ...] | None = _state_of(self._path)
        self._told: tuple[str, ...] = ()
        self._clients = self._read()

    def definitions(self) -> Mapping[str, Client]:
        """The clients by their ids; the built-in one is always among them."""
        return self._clients

    @property
    def follow_vendor_ids(self) -> bool:
        """Whether the built-in client is the one that counts: an entry of the file can take its place."""
        return self._clients[self._built_in.client_id] is self._built_in

    def add_vendor_ids(self, vendor_ids: Iterable[str]) -> None:
        """Let the built-in client be the skills of these developer accounts, too."""
        self._vendor_ids = tuple(dict.fromkeys((*self._vendor_ids, *vendor_ids)))
        former, present = self._built_in, replace(self._built_in, redirect_uris=redirect_uris_for(self._vendor_ids))
        self._clients = {id_: present if client is former else client for id_, client in self._clients.items()}
        self._built_in = present

    def reload_if_changed(self) -> tuple[str, ...]:
        """Read the file again if it is another one than last time; its faults, which are logged too, leave the clients be."""
        state = _state_of(self._path)
        if state == self._state:
            return ()
        self._state = state
        try:
            self._clients = self._read()
        except ClientsFileUnreadable as refused:
            # Without a descriptor left, or with an error of the disk: look again, and tell it once.
            self._state = None
            return self._tell(refused.faults) if refused.faults != self._told else ()
        except ClientsFileRefused as refused:
            return self._tell(refused.faults)
        self._told = ()
        _log.info("clients_file.read", clients=len(self._clients))
        return ()

    def _tell(self, faults: tuple[str, ...]) -> tuple[str, ...]:
        for fault in faults:
            _log.error("clients_file.broken", fault=fault)
        self._told = faults
        return faults

    def _read(self) -> dict[str, Client]:
        clients = {self._built_in.client_id: self._built_in}
        try:
            with self._path.open("rb") as file:
                octets = file.read(FILE_BYTES + 1)
        except FileNotFoundError:
            return clients
        except OSError as error:
            raise ClientsFileUnreadable(
                (f"{self._path}: cannot be read ({error.strerror}); allowed: a readable file",)
            ) from error
        try:
            return clients | parse(octets, self._built_in)
        except ClientsFileRefused as refused:
            raise ClientsFileRefused(tuple(f"{self._path}, {fault}" for fault in refused.faults)) from refused


def parse(octets: bytes, built_in_client: Client) -> dict[str, Client]:
    """The clients of a file's content, by their ids. `ClientsFileRefused`, each line beginning with the line number."""
    if len(octets) > FILE_BYTES:
        raise ClientsFileRefused((f"line 1: is too long; allowed: {FILE_BYTES} bytes",))
    try:
        entries = read_object(octets, levels=2)
    except NotAnObject as error:
        raise ClientsFileRefused((f'{error}; allowed: {{"<client_id>": {{"client_type": …, "redirect_uris": […]}}}}',)) from error
    clients: dict[str, Client] = {}
    faults = [*_repetitions(entries)]
    for entry in entries:
        try:
            clients[entry.key] = read_entry(entry.key, entry.value, built_in_client)
        except EntryRefused as refused:
            faults += [_at(entry.line_of(fault.key), entry, fault) for fault in refused.faults]
    if faults:
        raise ClientsFileRefused(tuple(told for _, told in sorted(faults)))
    return clients


def _repetitions(entries: tuple[Member, ...]) -> Iterator[tuple[int, str]]:
    for entry in repeated(entries):
        yield _at(entry.line, entry, Fault(None, "stands in the file before", "each client once"))
    for entry in entries:
        for member in repeated(entry.members):
            yield _at(member.line, entry, Fault(member.key, "stands in the entry before", "each key once"))


def _at(line: int, entry: Member, fault: Fault) -> tuple[int, str]:
    key = "" if fault.key is None else f", key {json.dumps(fault.key)}"
    return line, f"line {line}: client {json.dumps(entry.key)}{key}: {fault.problem}; allowed: {fault.allowed}"


def _state_of(path: Path) -> tuple[int, ...]:
    """What differs as soon as another file, or other content, is there; permissions count, as mending them changes it too."""
    try:
        status = path.stat()
    except OSError as error:
        return (error.errno or 0,)
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
