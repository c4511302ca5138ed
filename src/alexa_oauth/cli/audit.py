"""`audit`: what happened, and why."""

from alexa_oauth.cli.context import Context
from alexa_oauth.cli.database import ask
from alexa_oauth.cli.printing import local_time, print_json, print_table
from alexa_oauth.protocol.reading import EventQuery, RecordedEvent
from alexa_oauth.storage.store import SqliteStore


def audit(context: Context) -> int:
    """The newest events, in the order in which they happened."""
    arguments = context.arguments

    async def read(store: SqliteStore) -> list[RecordedEvent]:
        async with store.reader() as reader:
            return await reader.events(EventQuery(arguments.limit, name=arguments.event, grant_id=arguments.link))

    found = ask(context, read)[::-1]
    if arguments.json:
        print_json([recorded.fields() for recorded in found])
    elif found:
        heading = ("TIME", "EVENT", "REASON", "CLIENT", "SUBJECT", "ADDRESS", "ATTEMPT", "MORE")
        print_table([heading, *(_row(recorded) for recorded in found)])
    elif arguments.event or arguments.link:
        print("No such event is recorded.")
    else:
        print("Nothing has happened yet. Refusals show within a minute; a request that never shows did not reach the server.")
    return 0


def _row(recorded: RecordedEvent) -> tuple[str, ...]:
    event = recorded.event
    more = [f"{name}={value}" for name, value in event.detail.items()]
    if event.grant_id:
        more.insert(0, f"link={event.grant_id}")
    if event.count > 1:
        more.insert(0, f"{event.count} times")
    if recorded.doubtful:
        more.append("(the clock was in doubt)")
    known = (event.reason, event.client_id, event.subject, event.address, event.attempt)
    return (local_time(recorded.at), event.name, *(value or "-" for value in known), " ".join(more))
