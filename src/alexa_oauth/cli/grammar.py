"""The words of the command line: every command with its arguments, its help and an example."""

import re
from argparse import ArgumentParser, ArgumentTypeError, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alexa_oauth import __version__
from alexa_oauth.cli.context import FAILED, NO_RESTART
from alexa_oauth.protocol.events import EventName
from alexa_oauth.settings.table import PREFIX

_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}")
_Commands = Callable[..., ArgumentParser]
"""`add_parser` of a group of commands."""

_EPILOG: Final = f"""\
In a checkout, ./run.sh stands for alexa-oauth; without a command it serves.

Settings are environment variables that begin with {PREFIX}, such as
{PREFIX}DATA_DIR; the README lists them. A command beside the running
server needs the same ones. `alexa-oauth COMMAND --help` tells more.
"""
_ALEXA_CONFIG: Final = """\
alexa-oauth alexa-config

Copy what is printed into the developer console, or let the ASK command line
do it:

  alexa-oauth alexa-config --json > linking.json
  ask smapi update-account-linking-info -s SKILL_ID -g development \\
      --account-linking-request file:linking.json

Some versions of it want the inner object of that file alone. The switch for
PKCE is in the console only. The file holds the client's secret: delete it
afterwards."""


def grammar() -> ArgumentParser:
    """What can be said. The parsed `command` is a file of this package and a function in it, with a dot between."""
    parser = ArgumentParser(
        prog="alexa-oauth",
        description="The OAuth 2.0 server that links an Alexa skill to the Music Assistant of one household.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"alexa-oauth {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True).add_parser
    _add_server(commands)
    _add_setup(commands)
    _add_clients(commands)
    _add_administrators(commands)
    _add_links(commands)
    _add_backup(commands)
    _add_keys(commands)
    return parser


def _add_server(commands: _Commands) -> None:
    serve = _add(commands, "serve", "serving.serve", "start the server; ends in order on SIGTERM or ^C", "alexa-oauth serve")
    serve.set_defaults(misconfigured=NO_RESTART)
    health = _add(
        commands,
        "health",
        "health.health",
        "ask the running server whether it can do its work; exit status 0 if it can",
        "alexa-oauth health --live",
    )
    health.add_argument("--live", action="store_true", help="be content with any answer, as a container's health check is")
    doctor = _add(
        commands,
        "doctor",
        "doctor.doctor",
        "say why linking fails and what helps, and call the public address as Amazon does; exit status 0 if nothing fails",
        "alexa-oauth doctor --verbose",
    )
    shape = doctor.add_mutually_exclusive_group()
    shape.add_argument("--verbose", action="store_true", help="show what each verdict rests on: who answered, and with what")
    shape.add_argument("--report", action="store_true", help="print a report for a bug tracker, without names and addresses")
    shape.add_argument("--json", action="store_true", help="print {version, findings}: {cause, title, verdict, sentence, fix, …}")


def _add_setup(commands: _Commands) -> None:
    config = _add(
        commands,
        "alexa-config",
        "console.alexa_config",
        "print the values for Account Linking in the Alexa developer console",
        _ALEXA_CONFIG,
    )
    _add_client_id(config)
    _add_json(config, "print the account-linking request for the ASK command line")
    code = _add(
        commands,
        "pairing-code",
        "one_time.pairing_code",
        "show the code that the consent page asks for",
        "alexa-oauth pairing-code",
    )
    _add_json(code, "print {code, expires_in}")
    _add(commands, "admin-link", "one_time.admin_link", "print a link that opens the panel once", "alexa-oauth admin-link")


def _add_clients(commands: _Commands) -> None:
    purpose = "list and show the registered clients, change a secret"
    clients = _add_group(commands, "client", purpose, "The registered clients.", "alexa-oauth client show")
    _add(clients, "list", "clients.list_clients", "list the registered clients", "alexa-oauth client list")
    show = _add(clients, "show", "clients.show", "show a client, its secret included", "alexa-oauth client show amazon-alexa")
    _add_client_id(show)
    renew = _add(
        clients,
        "new-secret",
        "clients.new_secret",
        "make a new secret; the former one stays good for 7 days",
        "alexa-oauth client new-secret --at-once",
    )
    _add_client_id(renew)
    renew.add_argument("--at-once", action="store_true", help="the former secret is refused from now on: use it if that leaked")


def _add_administrators(commands: _Commands) -> None:
    people = _add_group(
        commands,
        "admin",
        "list and reset who administers the panel inside Home Assistant",
        "Who administers the panel inside Home Assistant.",
        "alexa-oauth admin list",
    )
    listing = _add(
        people, "list", "admin.list_people", "list who opened the panel, and who administers it", "alexa-oauth admin list"
    )
    _add_json(listing, "print a list of {subject, name, is_administrator}")
    _add(
        people,
        "reset",
        "admin.reset_administrators",
        "let nobody be administrator: the next Home Assistant user who opens the panel becomes it",
        "alexa-oauth admin reset",
    )


def _add_links(commands: _Commands) -> None:
    links = _add(commands, "links", "links.links", "list who linked what, and when it was last used", "alexa-oauth links")
    _add_json(links, "print a list of {id, subject, client_id, scope, created_at, last_used_at, expires_at}")
    revoke = _add(
        commands,
        "revoke",
        "links.revoke",
        "end a link; its tokens are refused from then on",
        "alexa-oauth revoke 5f2c",
    )
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("link", metavar="LINK", nargs="?", help="the link's id, or as much of its beginning as names no other one")
    which.add_argument("--all", action="store_true", help="end all links, after a question")
    revoke.add_argument("--yes", action="store_true", help="ask no question")
    audit = _add(
        commands,
        "audit",
        "audit.audit",
        "show what happened and why, the newest last",
        "alexa-oauth audit --event token.refused --limit 20",
    )
    audit.add_argument("--limit", metavar="N", type=_count, default=50, help="show the newest N events; 50 unless given")
    audit.add_argument(
        "--event", choices=[event.value for event in EventName], metavar="EVENT", help=f"only this event: {', '.join(EventName)}"
    )
    audit.add_argument("--link", metavar="LINK", help="only events of this link, ended or not")
    _add_json(audit, "print a list of {at, event, reason, client_id, subject, address, attempt, link, count, detail, doubtful}")


def _add_backup(commands: _Commands) -> None:
    backup = _add(
        commands,
        "backup",
        "backup.backup",
        "seal everything that another machine needs into one file, beside a running server",
        "alexa-oauth backup /media/stick/alexa-oauth.backup",
    )
    which = backup.add_mutually_exclusive_group(required=True)
    which.add_argument("file", metavar="FILE", nargs="?", type=Path, help="a new file; - is the standard output")
    which.add_argument(
        "--copy",
        action="store_true",
        help="copy the database into backups/ instead, for a program that archives the data folder: it leaves out the live "
        "oauth.db, oauth.db-wal and oauth.db-shm, and a start without them adopts the copy",
    )
    restore = _add(
        commands,
        "restore",
        "restore.restore",
        "check a backup, and let the running server take it, or else its next start; the former state is kept",
        "alexa-oauth restore --check /media/stick/alexa-oauth.backup",
    )
    restore.add_argument("file", metavar="FILE", help="a sealed backup, or a copy from backups/; - is the standard input")
    how = restore.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="only say whether the backup is good and what it would mean")
    how.add_argument("--end-all-links", action="store_true", help="end every link of the backup: each must be made again")
    how.add_argument("--key-only", action="store_true", help="bring back the master key alone, where only that was lost")
    restore.add_argument("--yes", action="store_true", help="ask no question")
    _add_json(restore, "print {made_at, links, sealed, …, taken, former_state}, and ask no question")


def _add_keys(commands: _Commands) -> None:
    keys = _add_group(
        commands,
        "key",
        "change the keys that protect the database, and show which there are",
        "The keys that protect the database: a master key, which wraps data keys, which protect the rows.",
        "alexa-oauth key show-id",
    )
    rotate = _add(keys, "rotate", "keys.rotate", "make a new master key; no token changes", "alexa-oauth key rotate --data")
    which = rotate.add_mutually_exclusive_group()
    which.add_argument(
        "--data",
        action="store_true",
        help="make new data keys instead: each link gets a token of the new one at its next refresh, then the old ones go",
    )
    which.add_argument(
        "--to-file",
        metavar="FILE",
        type=Path,
        help="write the new master key to a new file, where the present one comes from a setting",
    )
    show = _add(keys, "show-id", "keys.show_id", "show the ids of the keys, and what needs each", "alexa-oauth key show-id")
    _add_json(show, "print {master, master_from, data_keys: [{id, created_at, state, links}]}")


def _add(commands: _Commands, name: str, command: str, purpose: str, example: str) -> ArgumentParser:
    parser = _told(commands, name, purpose, f"{purpose[0].upper()}{purpose[1:]}.", example)
    parser.set_defaults(command=command, misconfigured=FAILED)
    return parser


def _add_group(commands: _Commands, name: str, purpose: str, description: str, example: str) -> _Commands:
    group = _told(commands, name, purpose, description, example)
    return group.add_subparsers(title="commands", metavar="COMMAND", required=True).add_parser


def _told(commands: _Commands, name: str, purpose: str, description: str, example: str) -> ArgumentParser:
    return commands(
        name,
        help=purpose,
        description=description,
        epilog=f"Example:\n  {example}",
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _add_client_id(parser: ArgumentParser) -> None:
    parser.add_argument(
        "client_id", metavar="CLIENT", nargs="?", help="the client's id; that of the built-in client unless given"
    )


def _add_json(parser: ArgumentParser, purpose: str) -> None:
    parser.add_argument("--json", action="store_true", help=purpose)


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise ArgumentTypeError(f"{text!a} is not a number of events")
    return int(text)
