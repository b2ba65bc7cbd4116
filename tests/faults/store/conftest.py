"""An empty database for each test, on SQLite and on a real PostgreSQL."""

from tests.conformance.store.conftest import fresh_database, postgresql_url

__all__ = ["fresh_database", "postgresql_url"]
