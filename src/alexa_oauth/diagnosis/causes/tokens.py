"""Codes, tokens and where they are kept: why an exchange is refused, or a link ends later."""

from typing import Final

from alexa_oauth.diagnosis.causes.cause import Cause, Seen

CODE_EXPIRED: Final = Cause(
    "code_expired",
    "The code came too late",
    "Amazon brought the code after its life of some minutes, or this server's clock jumped meanwhile.",
    "Begin again in the Alexa app. If it happens again, look at clock and delays on the way.",
    (Seen.EVENTS,),
)
CODE_USED: Final = Cause(
    "code_used",
    "The code is unknown or was used before",
    "A code works once. This one was used before, or did not come from here.",
    "Begin again in the Alexa app. If it happens each time, look for a second installation behind the same name.",
    (Seen.EVENTS,),
)
CODE_NOT_FOR_THIS: Final = Cause(
    "code_not_for_this",
    "The code belongs to another request",
    "The code was given to another client, or for another redirect address.",
    "Use one client id and one set of addresses for the skill, save them in the developer console, and begin again.",
    (Seen.EVENTS,),
)
REFRESH_TOKEN_EXPIRED: Final = Cause(
    "refresh_token_expired",
    "Unused links end",
    "A link that is not used for refresh_token_days ends, and Alexa then asks to link anew. Amazon advises 180 days or more.",
    "Set refresh_token_days to 180 or more, or 0 for no end; then disable and enable the skill in the Alexa app.",
    (Seen.EVENTS, Seen.INSIDE),
)
REFRESH_TOKEN_UNKNOWN: Final = Cause(
    "refresh_token_unknown",
    "The link is not known here",
    "Alexa comes with a token of an earlier installation, another key, or a database that is lost.",
    "Restore the backup with its key if there is one; else disable and enable the skill in the Alexa app once.",
    (Seen.EVENTS,),
)
REFRESH_TOKEN_REUSED: Final = Cause(
    "refresh_token_reused",
    "An old token came back",
    "A token that was replaced long ago was used again: by a copy of it in foreign hands, or by a client that lost its memory.",
    "If you know of no copy, make a new client secret; then disable and enable the skill in the Alexa app.",
    (Seen.EVENTS,),
)
LINK_ENDED: Final = Cause(
    "link_ended",
    "The link was ended",
    "Somebody unlinked it, here or at Amazon, and a request still came with one of its tokens.",
    "If you want it back, disable and enable the skill in the Alexa app.",
    (Seen.EVENTS,),
)
OLD_ROWS: Final = Cause(
    "old_rows",
    "Remains of earlier links",
    "Old links of the same person cannot stand in the way of a new one here, but several may live side by side.",
    "End those that are not used any more, on the page Links.",
    (Seen.INSIDE,),
)
TOO_MANY_FAILURES: Final = Cause(
    "too_many_failures",
    "Too many failed attempts",
    "After ten failures in an hour an address hears only that it should wait; a right request still passes.",
    "Correct what failed before that; the refusals before this one say what it was.",
    (Seen.EVENTS,),
)
STORAGE_UNAVAILABLE: Final = Cause(
    "storage_unavailable",
    "The database cannot be written",
    "The disk is full, read-only or broken, so nothing can be kept, and Amazon is asked to try again.",
    "Make room on the disk, or mend it. The server goes on by itself as soon as it can write.",
    (Seen.EVENTS, Seen.INSIDE),
)
DISK_NEARLY_FULL: Final = Cause(
    "disk_nearly_full",
    "The disk is nearly full",
    "When the disk is full, nothing can be linked or refreshed.",
    "Make room: old backups, media and snapshots take the most.",
    (Seen.INSIDE,),
)
COPY_STALE: Final = Cause(
    "copy_stale",
    "No fresh copy of the database",
    "The newest daily copy is more than two days old, or cannot be restored, so that a broken disk would cost links.",
    "The page Backup and the log say why, as backup.failed; a full disk is the usual cause. Meanwhile make a sealed backup, and"
    " keep it on another machine.",
    (Seen.INSIDE,),
)
DATABASE_REFUSED: Final = Cause(
    "database_refused",
    "The database cannot be used",
    "This database cannot be opened: the key is another one, the file is damaged, or whoever asks may not read it.",
    "Bring back the key that belongs to this database, or restore a backup, which holds both. Commands are for the user who owns"
    " the data folder, or for root.",
    (Seen.INSIDE,),
)
ROW_DAMAGED: Final = Cause(
    "row_damaged",
    "A stored row is damaged",
    "Something in the database does not open any more: the disk damaged it, or somebody changed it. It is never served.",
    "Restore a backup from before that, on the page Backup. If there is none, begin with an empty data folder, and link anew.",
    (Seen.INSIDE,),
)
SERVER_DOWN: Final = Cause(
    "server_down",
    "The server does not run",
    "Nothing answers where this server should listen.",
    "Start it, and read the last lines of its log: they say what is wrong with a setting or the data folder.",
    (Seen.INSIDE,),
)
CLOCK_WRONG: Final = Cause(
    "clock_wrong",
    "The clock is wrong",
    "This machine's clock differs from the time of others, so that codes and tokens seem too old or too new.",
    "Turn on network time (NTP). A machine without a battery for its clock needs the network before this server starts.",
    (Seen.EVENTS, Seen.INSIDE, Seen.OUTSIDE),
)
TWO_WORKERS: Final = Cause(
    "two_workers",
    "Two processes, two memories",
    "Where several processes answer, one may not know what another one issued.",
    "This server is one process on one database, and a second one refuses to start. Run it once.",
    (Seen.INSIDE,),
)
FOREIGN_ORIGIN_FAULT: Final = Cause(
    "foreign_origin_fault",
    "A header of the browser causes an error",
    "A server or proxy with rules for foreign origins (CORS) fails when a browser says where it comes from.",
    "Take rules about Origin off the paths that begin with /alexa/.",
    (Seen.OUTSIDE,),
)

CAUSES: Final = (
    SERVER_DOWN,
    DATABASE_REFUSED,
    ROW_DAMAGED,
    STORAGE_UNAVAILABLE,
    DISK_NEARLY_FULL,
    COPY_STALE,
    TWO_WORKERS,
    CLOCK_WRONG,
    CODE_EXPIRED,
    CODE_USED,
    CODE_NOT_FOR_THIS,
    REFRESH_TOKEN_EXPIRED,
    REFRESH_TOKEN_UNKNOWN,
    REFRESH_TOKEN_REUSED,
    LINK_ENDED,
    OLD_ROWS,
    TOO_MANY_FAILURES,
    FOREIGN_ORIGIN_FAULT,
)
