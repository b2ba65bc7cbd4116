"""One synthetic site per back end, made once; questions at random are put to both sides."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.conformance.store.conftest import database, postgresql_url
from tests.properties.worlds import Court, make_court

__all__ = ["court", "database", "postgresql_url"]

# `CONNECTOMEDB_LAW=20000` looks longer; `CONNECTOMEDB_LAW_SEED=7` at another site.
N_EXAMPLES = int(os.environ.get("CONNECTOMEDB_LAW", "400"))
SEED = int(os.environ.get("CONNECTOMEDB_LAW_SEED", "0"))

law = settings(
    max_examples=N_EXAMPLES,
    deadline=None,
    report_multiple_bugs=False,
    # A question is drawn from many small choices; the site is only read.
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
# What stands on the same rows needs fewer examples.
law_of_facets = settings(law, max_examples=max(N_EXAMPLES // 8, 1))


@pytest.fixture(scope="module")
def court(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """The archive and the world that it should agree with."""
    court = make_court(database, tmp_path_factory.mktemp("types"), SEED)
    yield court
    court.archive.close()
