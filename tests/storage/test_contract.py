"""The promises of the port, kept by SQLite."""

from tests.storage.contract import StorePromises


class TestSqliteStore(StorePromises):
    pass
