"""Nothing that opens a door is on the disk in clear: somebody gets hold of the data folder, or of an old sector of it."""

import base64
from pathlib import Path

from alexa_oauth.protocol.models import RefreshProfile
from alexa_oauth.storage.store import SqliteStore
from alexa_oauth.storage.transaction import SqliteTransaction
from tests.storage.conftest import OpenStore, Surroundings
from tests.storage.records import DAY, NOW, access_token, code, grant, pending_request


def issue_everything(tx: SqliteTransaction) -> list[bytes]:
    """Issue one credential of every kind; what must not be found."""
    waiting, answered = pending_request("waiting"), pending_request("answered")
    tx.authorizations.add(waiting)
    tx.authorizations.add(answered)
    tx.authorizations.fulfil(answered, code(1), "ha:anna", NOW + 300)
    tx.grants.add(grant())
    refresh_tokens = [tx.grants.refresh_token(grant(), generation) for generation in (1, 2)]
    tx.grants.rotate(grant(), RefreshProfile.STRICT_WINDOW, access_token(1))
    tx.grants.issue(grant(), access_token(1))
    tx.grants.issue(grant(), access_token(2))
    issued = tx.authorizations.find_code(code(1))
    assert issued is not None
    tx.authorizations.mark_used(issued, grant().grant_id)
    tx.pairing_codes.current("ha:anna", "BCDFGHJK")
    tx.admin_links.add("one-time-link-to-the-panel", NOW + 600)
    tx.clients.ensure_secret("amazon-alexa", "the-first-client-secret")
    tx.clients.replace_secret("amazon-alexa", "the-second-client-secret", at_once=False)
    texts = [
        *(secret for pending in (waiting, answered) for secret in (pending.request_id, pending.csrf, pending.browser)),
        *refresh_tokens,
        *(secret.removeprefix("aoa_rt_") for secret in refresh_tokens),
        *(access_token(number).value for number in (1, 2)),
        code(1),
        "BCDFGHJK",
        "one-time-link-to-the-panel",
        "the-first-client-secret",
        "the-second-client-secret",
    ]
    return [*(text.encode() for text in texts), *spelt(grant().seed)]


def spelt(secret: bytes) -> list[bytes]:
    """The ways in which bytes may lie about."""
    return [secret, secret.hex().encode(), base64.b64encode(secret), base64.urlsafe_b64encode(secret)]


def found_in(folder: Path, secrets: list[bytes]) -> list[tuple[str, bytes]]:
    files = {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert len(files["oauth.db"]) > 4_096
    return [(name, secret) for name, content in files.items() for secret in secrets if secret in content]


async def test_no_credential_is_in_any_file_while_it_lives_nor_after_it_was_erased(
    open_store: OpenStore, surroundings: Surroundings
) -> None:
    store = open_store()
    secrets = await store.write(issue_everything)
    keys = [spelling for key in raw_keys(store) for spelling in spelt(key)]
    assert (surroundings.folder / "oauth.db-wal").stat().st_size > 0
    assert found_in(surroundings.folder, [*secrets, *keys]) == []
    await store.write(lambda tx: tx.grants.end(grant()))
    surroundings.advance(900 * DAY)
    await store.sweep()
    assert found_in(surroundings.folder, secrets) == []
    await store.close()
    assert found_in(surroundings.folder, secrets) == []


async def test_what_was_deleted_is_overwritten(open_store: OpenStore, surroundings: Surroundings) -> None:
    """Even sealed: a key that leaks later must not open what was erased before."""
    store = open_store()
    await store.write(issue_everything)
    columns = ["payload FROM grants", "sealed_window FROM grants", "payload FROM access_tokens"]
    sealed = [bytes(store.read(lambda tx, what=what: tx.connection.execute(f"SELECT {what}").fetchone()[0])) for what in columns]  # type: ignore[misc]
    await store.sweep()
    assert all(payload in (surroundings.folder / "oauth.db").read_bytes() for payload in sealed), "the search finds things"
    await store.write(lambda tx: tx.grants.end(grant()))
    surroundings.advance(900 * DAY)
    await store.sweep()
    await store.close()
    assert not [payload for payload in sealed if payload in (surroundings.folder / "oauth.db").read_bytes()]


def raw_keys(store: SqliteStore) -> list[bytes]:
    """The data keys as the ring uses them."""
    ring = store.keys.ring
    fernets = [key for cipher in (ring.payloads, ring.sealing) for key in cipher._keys]
    return [*ring._index_keys, *(part for key in fernets for part in (key._signing_key, key._encryption_key))]
