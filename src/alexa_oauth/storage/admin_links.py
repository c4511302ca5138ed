"""The one-time links that open the panel."""

from typing import Final

from alexa_oauth.storage.connection import Connection

_ADD: Final = "INSERT INTO admin_links (digest, expires_at) VALUES (?, ?)"
_SPEND: Final = "DELETE FROM admin_links WHERE digest = ? AND expires_at > ?"


class AdminLinkRows:
    """Links as they were printed, found by keyed digest."""

    def __init__(self, connection: Connection) -> None:
        """Work on that connection."""
        self._connection = connection

    def add(self, link: str, expires_at: int) -> None:
        """Keep a link until it is used or too old."""
        self._connection.execute(_ADD, (self._connection.ring.digest("admin_links", link), expires_at))

    def spend(self, link: str) -> bool:
        """Use the link up; whether it was good."""
        digests = self._connection.ring.digests("admin_links", link)
        return any(self._connection.execute(_SPEND, (digest, self._connection.now)).rowcount for digest in digests)
