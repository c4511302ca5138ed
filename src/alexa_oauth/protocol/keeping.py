"""What backups and keys are to those who show them: records without a secret, and how a refusal is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from alexa_oauth.protocol.models import KeyAge


class CopyKind(StrEnum):
    """Why there is a copy of the database."""

    DAILY = "daily"
    ARCHIVE = "archive"
    """For programs that archive the data folder."""
    FORMER = "former"
    """What a restore replaced."""


@dataclass(frozen=True, slots=True)
class CopyFile:
    """A copy of the database in the folder of backups; `octets` is its size, `made_at` seconds since 1970."""

    name: str
    kind: CopyKind
    octets: int
    made_at: int


@dataclass(frozen=True, slots=True)
class DailyCopy:
    """The newest copy of those that are made daily, looked into; `problem` says why it cannot be restored, empty if it can."""

    made_at: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BackupContents:
    """What a backup holds. `settings` are those that were in force and are no secret, as text; a mere copy has none.

    `has_clients_file`: it brings the file of further clients along.
    """

    made_at: int
    links: int
    is_sealed: bool
    version: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    has_clients_file: bool = False


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """A data key that makes refresh tokens, which stands for those made with it. `links`: how many living ones need it."""

    key_id: str
    created_at: int
    age: KeyAge
    links: int


class BackupRefused(Exception):
    """A backup that cannot be made or restored; the message is one line for whoever asked, without a secret."""
