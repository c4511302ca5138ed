"""The settings: one table. Each row says how its value is read, its default, whether it is a secret, and what it is for."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from alexa_oauth.settings import values as read

Network = read.Network
PREFIX: Final = "ALEXA_OAUTH_"
CLIENTS_FILE: Final = "oauth_clients.json"
BUILT_SIGN_INS: Final = ("pairing_code", "home_assistant", "password", "amazon", "approve_only")

_ALIASES: Final = {"encryption_key": "OAUTH_ENCRYPTION_KEY"}
DATA_DIR: Final = Path("data")
CERTIFICATES: Final = Path("/ssl")
"""Where Home Assistant lays the certificates that add-ons name without a folder."""
_HERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
"""What stands for every address of the machine, and how the machine itself reaches it; asyncio's `::` is IPv6 alone."""


def _row(reader: read.Reader[object], purpose: str) -> dict[str, object]:
    return {"read": reader, "purpose": purpose}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator chose. Secrets are left out of `repr`."""

    host: str = field(default="127.0.0.1", metadata=_row(read.host, "Address on which the public endpoints listen"))
    port: int = field(default=8096, metadata=_row(read.port, "Port of the public endpoints; 0 is any that is free"))
    admin_host: str = field(default="127.0.0.1", metadata=_row(read.host, "Address on which the panel listens"))
    admin_port: int = field(default=8099, metadata=_row(read.port, "Port of the panel; 0 is any that is free"))
    data_dir: Path = field(default=DATA_DIR, metadata=_row(read.path, "Folder of database, key and backups"))
    public_url: str | None = field(
        default=None, metadata=_row(read.public_origin, "The https address under which the internet reaches this server")
    )
    sign_in: str = field(
        default="pairing_code",
        metadata=_row(read.one_of(*BUILT_SIGN_INS), "How people prove who they are before they approve"),
    )
    anyone_may_approve: bool = field(
        default=False, metadata=_row(read.boolean, "Allow sign_in approve_only behind an https public_url")
    )
    approvers: tuple[str, ...] = field(
        default=("admins",), metadata=_row(read.approvers, "Who may approve: admins, everyone, or Home Assistant user ids")
    )
    vendor_ids: tuple[str, ...] = field(
        default=(), metadata=_row(read.vendor_ids, "Vendor ids of the Amazon developer accounts that own the skill")
    )
    client_id: str = field(default="amazon-alexa", metadata=_row(read.client_id, "Id of the built-in client"))
    client_secret: str | None = field(
        default=None, repr=False, metadata=_row(read.secret, "Secret of the built-in client; unset, one is made at first")
    )
    clients_file: Path = field(metadata=_row(read.path, f"File of further clients; <data_dir>/{CLIENTS_FILE} unless set"))
    home_assistant_url: str | None = field(
        default=None, metadata=_row(read.origin, "Home Assistant's address as browsers reach it")
    )
    home_assistant_internal_url: str | None = field(
        default=None, metadata=_row(read.origin, "Home Assistant's address as this server reaches it")
    )
    home_assistant_token: str | None = field(
        default=None, repr=False, metadata=_row(read.secret, "Long-lived token with which Home Assistant is told what is unusual")
    )
    self_test: bool = field(
        default=False, metadata=_row(read.boolean, "Let loopback clients marked auto_approve pass without a page")
    )
    metrics_token: str | None = field(
        default=None, repr=False, metadata=_row(read.secret, "Bearer token that lets any machine read the metrics")
    )
    encryption_key: str | None = field(
        default=None, repr=False, metadata=_row(read.encryption_key, "Master key; unset, it is a file in data_dir")
    )
    access_token_seconds: int = field(default=1_800, metadata=_row(read.integer(360, 3_600), "How long an access token lives"))
    code_seconds: int = field(default=300, metadata=_row(read.integer(30, 600), "How long an authorization code lives"))
    refresh_token_days: int = field(
        default=90,
        metadata=_row(read.integer(7, 3_650, or_zero=True), "How long an unused refresh token lives; 0 is for ever"),
    )
    trusted_proxies: tuple[read.Network, ...] = field(
        default=(), metadata=_row(read.networks, "Addresses and networks of proxies whose X-Forwarded-For is believed")
    )
    log_level: str = field(
        default="info", metadata=_row(read.one_of("debug", "info", "warning", "error"), "The least level that is logged")
    )
    log_format: str = field(default="console", metadata=_row(read.one_of("console", "json"), "How log lines look"))
    ssl: bool = field(default=False, metadata=_row(read.boolean, "Serve the public endpoints over TLS"))
    certfile: Path | None = field(
        default=None, metadata=_row(read.path, f"Certificate chain for ssl; relative to {CERTIFICATES}")
    )
    keyfile: Path | None = field(default=None, metadata=_row(read.path, f"Private key for ssl; relative to {CERTIFICATES}"))
    amazon_client_id: str | None = field(
        default=None, metadata=_row(read.client_id, "Client id of the Login with Amazon security profile")
    )
    amazon_client_secret: str | None = field(
        default=None, repr=False, metadata=_row(read.secret, "Client secret of that security profile")
    )
    amazon_region: str = field(
        default="na", metadata=_row(read.one_of("na", "eu", "fe"), "Login with Amazon's region: North America, Europe, Far East")
    )
    amazon_allowed: tuple[str, ...] = field(
        default=(), metadata=_row(read.amazon_user_ids, "Amazon user ids that may approve; none: an administrator confirms one")
    )

    @property
    def issuer(self) -> str:
        """The base of every public URL; until there is a public address, this machine's."""
        return self.public_url or f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table."""

    name: str
    read: read.Reader[object]
    secret: bool
    purpose: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that hold the value; with `_FILE` behind it, each names a file that does."""
        usual = PREFIX + self.name.upper()
        return (usual, _ALIASES[self.name]) if self.name in _ALIASES else (usual,)


SETTINGS: Final = tuple(
    Setting(row.name, row.metadata["read"], not row.repr, row.metadata["purpose"]) for row in fields(Settings)
)
"""The table, as the documentation and the reading of it need it."""


def plain(settings: Settings) -> dict[str, str]:
    """What is no secret and not as it is by default, as the environment would write it."""
    found = {}
    for row in fields(Settings):
        value = getattr(settings, row.name)
        if row.repr and value != row.default:
            found[row.name] = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return found


def origin_here(host: str, port: int, *, tls: bool = False) -> str:
    """The origin under which a listener on that address answers on this machine."""
    name = _HERE.get(host, host)
    return f"{'https' if tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"
