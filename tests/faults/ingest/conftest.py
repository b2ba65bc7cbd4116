"""The sites of the import tests: empty, on SQLite and on a real PostgreSQL."""

from tests.conformance.ingest.conftest import make_site, site
from tests.conformance.store.conftest import postgresql_url

__all__ = ["make_site", "postgresql_url", "site"]
