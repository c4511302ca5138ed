"""A token that reaches a resource for the first time is noted, but never refused for that."""

from contextlib import suppress

from alexa_oauth.protocol import introspection
from alexa_oauth.protocol.errors import StorageUnavailable
from alexa_oauth.protocol.ports import Store, Transaction


async def note_first_use(store: Store, token: str) -> None:
    """Note the first use of an access token, if it is one and has not been used; a full disk does not stop the music."""
    access_token = store.read(lambda tx: tx.grants.find_access_token(token))
    if access_token is None or access_token.used_at is not None:
        return

    def note(tx: Transaction) -> None:
        introspection.note_first_use(tx, access_token)

    with suppress(StorageUnavailable):
        await store.write(note)
