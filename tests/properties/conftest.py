"""Synthetic sites with types at random, a few per back end; questions at random are put to both sides."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.conformance.store.conftest import database, new_database, postgresql_url
from tests.properties.worlds import Court, make_court

__all__ = ["court", "database", "postgresql_url"]

# `CONNECTOMEDB_LAW=20000` looks longer; `CONNECTOMEDB_LAW_SEED=7` (or `7,8,9`) at other sites.
SEEDS = tuple(int(seed) for seed in os.environ.get("CONNECTOMEDB_LAW_SEED", "").split(",") if seed)
# Both databases at the seeds that are named; else at one in common and one of their own.
COURTS = [(backend, seed) for backend in ("sqlite", "postgresql") for seed in SEEDS] or [
    *(("sqlite", 0), ("sqlite", 1)),
    *(("postgresql", 0), ("postgresql", 2)),
]
N_EXAMPLES = max(int(os.environ.get("CONNECTOMEDB_LAW", "400")) * 2 // len(COURTS), 1)

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
law_of_copies = settings(law, max_examples=max(N_EXAMPLES // 4, 1))
law_of_facets = settings(law, max_examples=max(N_EXAMPLES // 8, 1))


@pytest.fixture(
    scope="module",
    params=COURTS,
    ids=lambda param: f"{param[0]}-{param[1]}",
)
def court(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    """The archive and the world that it should agree with."""
    backend, seed = request.param
    url = new_database(backend, request, tmp_path_factory)
    court = make_court(url, tmp_path_factory.mktemp("types"), seed)
    yield court
    court.archive.close()
