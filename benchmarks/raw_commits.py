"""The second floor: group commits of SQLite with the server's own settings and tables, and nothing around them.

A "request" is what a refresh writes: one UPDATE and two INSERTs, with payloads of the usual size. Run as a program, it takes a
folder, the requests of a commit and the number of commits, and prints the commits a second.
"""

import os
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from alexa_oauth.storage.database import connect, migrate, migrations

GRANTS: Final = 32
ROWS_OF_A_REQUEST: Final = 3

_KEY: Final = """INSERT INTO data_keys (key_id, purpose, wrapped, wrapped_by, created_at)
    VALUES ('key', 'tokens', x'00', 'master', 0)"""
_GRANT: Final = """INSERT INTO grants (grant_id, client_id, attempt, created_at, generation, token_key_id, rotated_at,
    last_used_at, used_in_doubt, payload) VALUES (?, 'client', '00000000', 0, 1, 'key', 0, 0, 0, ?)"""
_UPDATE: Final = "UPDATE grants SET generation = generation + 1, rotated_at = ?, sealed_window = ? WHERE grant_id = ?"
_TOKEN: Final = """INSERT INTO access_tokens (digest, grant_id, generation, issued_at, expires_at, payload)
    VALUES (?, ?, 1, 0, 1800, ?)"""
_EVENT: Final = """INSERT INTO events (at, event, client_id, subject, grant_id, address, attempt, count, doubtful, of_grant)
    VALUES (?, 'token.refreshed', 'client', 'local', ?, '127.0.0.1', '00000000', 1, 0, 1)"""


def commits_a_second(folder: Path, requests: int, commits: int) -> float:
    """Commit again and again, with that many requests in each commit."""
    with closing(connect(folder / "floor.db", 0, "rwc")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        migrate(database, migrations())
        database.execute(_KEY)
        database.executemany(_GRANT, [(f"{grant:016x}", os.urandom(268)) for grant in range(GRANTS)])
        begun = time.perf_counter()
        for commit in range(commits):
            database.execute("BEGIN IMMEDIATE")
            for grant in range(requests):
                grant_id = f"{grant % GRANTS:016x}"
                database.execute(_UPDATE, (commit, os.urandom(312), grant_id))
                database.execute(_TOKEN, (os.urandom(32), grant_id, os.urandom(268)))
                database.execute(_EVENT, (commit, grant_id))
            database.execute("COMMIT")
        return commits / (time.perf_counter() - begun)


if __name__ == "__main__":
    place, requests_of_a_commit, number = sys.argv[1:]
    print(commits_a_second(Path(place), int(requests_of_a_commit), int(number)))
