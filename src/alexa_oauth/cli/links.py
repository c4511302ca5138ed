"""`links` and `revoke`."""

import sys

from alexa_oauth.cli.context import CommandFailed, Context
from alexa_oauth.cli.database import ask
from alexa_oauth.cli.printing import local_time, print_json, print_table
from alexa_oauth.protocol.events import Reason
from alexa_oauth.protocol.ports import Transaction
from alexa_oauth.protocol.reading import Link
from alexa_oauth.protocol.revocation import end_grant
from alexa_oauth.storage.store import SqliteStore

_NO_LINKS = """\
No links yet. Enable the skill in the Alexa app: More → Skills & Games → Your Skills → Dev.
`alexa-oauth alexa-config` prints what the developer console needs before that."""


def links(context: Context) -> int:
    """Every living link, the newest first."""
    found = ask(context, _living)
    unused_seconds = context.settings.refresh_token_days * 86_400
    if context.arguments.json:
        print_json([_fields(link, unused_seconds) for link in found])
    elif found:
        heading = ("LINK", "SUBJECT", "CLIENT", "SCOPE", "SINCE", "LAST USED", "EXPIRES")
        print_table([heading, *(_row(link, unused_seconds) for link in found)])
    else:
        print(_NO_LINKS)
    return 0


def revoke(context: Context) -> int:
    """End one link, or all of them."""
    arguments = context.arguments
    found = ask(context, _living)
    ending = found if arguments.all else [_only(found, arguments.link)]
    if not ending:
        print("There is no link to revoke.")
        return 0
    if arguments.all and not arguments.yes and not _confirmed(len(ending)):
        raise CommandFailed("nothing was revoked")

    async def end(store: SqliteStore) -> int:
        return await store.write(lambda tx: sum(_end(tx, link.grant_id) for link in ending))

    ended = ask(context, end)
    print(f"{ended} {'link was' if ended == 1 else 'links were'} revoked. In the Alexa app the skill must be linked anew.")
    return 0


async def _living(store: SqliteStore) -> list[Link]:
    async with store.reader() as reader:
        return await reader.links(store.read(lambda tx: tx.now))


def _only(found: list[Link], beginning: str) -> Link:
    matching = [link for link in found if beginning and link.grant_id.startswith(beginning)]
    if not matching:
        raise CommandFailed(f"there is no link {beginning!a}; `alexa-oauth links` lists them")
    if len(matching) > 1:
        raise CommandFailed(f"{beginning!a} could be {' or '.join(link.grant_id for link in matching)}; nothing was revoked")
    return matching[0]


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        raise CommandFailed("revoke --all asks a question first: add --yes where there is no terminal; nothing was revoked")
    print(f"Revoke all {count} links? Everybody must link the skill anew. [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _end(tx: Transaction, grant_id: str) -> bool:
    """End a link unless it ended since it was listed; whether it was still alive."""
    grant = tx.grants.find(grant_id)
    if grant is None or not grant.is_live(tx.now):
        return False
    end_grant(tx, grant, Reason.REVOKED_BY_OPERATOR)
    return True


def _fields(link: Link, unused_seconds: int) -> dict[str, object]:
    return {
        "id": link.grant_id,
        "subject": link.subject,
        "client_id": link.client_id,
        "scope": " ".join(link.scope),
        "created_at": link.created_at,
        "last_used_at": link.last_used_at,
        "expires_at": link.expires_at(unused_seconds),
    }


def _row(link: Link, unused_seconds: int) -> tuple[str, ...]:
    expires_at = link.expires_at(unused_seconds)
    instants = (link.created_at, link.last_used_at, expires_at)
    times = ("never" if at is None else local_time(at) for at in instants)
    return (link.grant_id, link.subject, link.client_id, " ".join(link.scope), *times)
