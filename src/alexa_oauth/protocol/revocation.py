"""Revocation (RFC 7009)."""

import hmac
from collections.abc import Iterable

from alexa_oauth.protocol.events import Event, EventName, Reason
from alexa_oauth.protocol.models import Client, Grant, Resident
from alexa_oauth.protocol.ports import Transaction


def revoke(tx: Transaction, client: Client, token: str, address: str) -> None:
    """Revoke a token of this client's; one that is unknown or another's is left alone, and the answer tells nothing.

    A refresh token of any generation takes its grant along (RFC 7009 §2.1); an access token goes alone.
    """
    presented = tx.grants.read_refresh_token(token)
    if presented is not None:
        grant = tx.grants.find(presented.grant_id)
        if grant is not None and hmac.compare_digest(grant.seed, presented.seed):
            _end(tx, client, grant, address)
        return
    access_token = tx.grants.find_access_token(token)
    if access_token is None or access_token.client_id != client.client_id:
        return
    # Who revokes a token has the answer that carried it: the windows for lost answers close.
    tx.grants.mark_access_token_used(access_token)
    tx.grants.drop_access_token(access_token)
    tx.events.record(
        Event(
            EventName.TOKEN_REVOKED,
            None,
            client.client_id,
            access_token.subject,
            access_token.grant_id,
            Reason.REVOKED_BY_CLIENT,
            address,
        )
    )


def end_grant(tx: Transaction, grant: Grant, reason: Reason, address: str | None = None, *, by: str | None = None) -> None:
    """End a link for good; it wins over every window. `by` is whose doing it is, if it is a person's."""
    tx.grants.end(grant)
    event = Event(EventName.GRANT_ENDED, grant.attempt, grant.client_id, grant.subject, grant.grant_id, reason, address)
    tx.events.record(event.by(by) if by else event)


def end_links(tx: Transaction, grant_ids: Iterable[str], by: str) -> int:
    """End those links that still live, as that person's doing; how many there were."""
    living = [grant for grant_id in grant_ids if (grant := tx.grants.find(grant_id)) is not None and grant.is_live(tx.now)]
    for grant in living:
        end_grant(tx, grant, Reason.REVOKED_BY_OPERATOR, by=by)
    return len(living)


def end_link(tx: Transaction, grant_id: str, by: Resident) -> bool:
    """End a link that a person may end: their own, or any as an administrator. Whether it was theirs to end, and lived."""
    grant = tx.grants.find(grant_id)
    if grant is None or not (by.is_administrator or grant.subject == by.subject):
        return False
    return end_links(tx, [grant_id], by.subject) == 1


def _end(tx: Transaction, client: Client, grant: Grant, address: str) -> None:
    if grant.client_id == client.client_id and grant.is_live(tx.now):
        end_grant(tx, grant, Reason.REVOKED_BY_CLIENT, address)
