"""What the server tells the person who started it: once, on the terminal, never through the log."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from alexa_oauth import __version__
from alexa_oauth.admin.by_link import LINK_SECONDS
from alexa_oauth.app import Server
from alexa_oauth.protocol.credentials import new_pairing_code, new_secret
from alexa_oauth.protocol.models import LOCAL_SUBJECT
from alexa_oauth.protocol.ports import Entropy, Transaction
from alexa_oauth.settings.table import Settings

_FIRST_START: Final = (
    "This is the first start. Skills that were linked by an earlier server must be linked once more:\n"
    "Alexa app → Skills → Music Assistant → Disable, then Enable."
)

_ADOPTED: Final = (
    "The database was missing, and its copy took its place. Links that ended since {as_of} live again:\n"
    "`alexa-oauth links` lists them, `alexa-oauth revoke` ends them."
)


@dataclass(frozen=True, slots=True)
class PairingCodeShown:
    """A pairing code as a person reads it, and the instant at which it ends."""

    code: str
    expires_at: int


def show_pairing_code(tx: Transaction, entropy: Entropy, subject: str = LOCAL_SUBJECT) -> PairingCodeShown:
    """The person's present code; unless it is said whose, that of whoever sits at the terminal."""
    code, expires_at = tx.pairing_codes.current(subject, new_pairing_code(entropy))
    return PairingCodeShown(f"{code[:4]}-{code[4:]}", expires_at)


def new_admin_link(tx: Transaction, entropy: Entropy, admin_origin: str) -> str:
    """A link that opens the panel once."""
    link = new_secret(entropy)
    tx.admin_links.add(link, tx.now + LINK_SECONDS)
    return f"{admin_origin}/open/{link}"


def announce(settings: Settings, public: str, shown: tuple[str, PairingCodeShown] | None) -> str:
    """The start text. `public` is where the public endpoints listen; `shown` is the admin link and the pairing code."""
    lines = [f"alexa-oauth {__version__}", f"  health        {public}/health"]
    if shown is not None:
        link, pairing_code = shown
        until = datetime.fromtimestamp(pairing_code.expires_at, UTC).astimezone().strftime("%H:%M")
        lines.append(f"  panel         {link}")
        if settings.sign_in == "pairing_code":
            lines.append(f"  pairing code  {pairing_code.code}  (until {until}; `alexa-oauth pairing-code` shows a new one)")
    lines.append(f"  next          {_next_step(settings)}")
    return "\n".join(lines)


def notices(server: Server) -> list[str]:
    """What became of the data folder at this start that a person should know; the audit trail has it, too."""
    opened, as_of = server.store.opened, server.adopted_as_of
    first_start = [_FIRST_START] if opened is not None and opened.first_start else []
    return [*first_start, *([_ADOPTED.format(as_of=as_of)] if as_of else [])]


def _next_step(settings: Settings) -> str:
    if settings.public_url is None:
        return "set ALEXA_OAUTH_PUBLIC_URL to the https address under which the internet reaches this server"
    if not settings.vendor_ids and not settings.clients_file.is_file():
        return "set ALEXA_OAUTH_VENDOR_IDS to the vendor id of your Amazon developer account"
    return "copy what `alexa-oauth alexa-config` prints into the Alexa developer console, then link the skill"
