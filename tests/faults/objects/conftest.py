"""A misbehaving server, and stores on it that have little patience."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.faults.objects.server import BUCKET, FaultServer

from connectomedb.objects.stores import ObjectStore, Patience, open_store

LITTLE = Patience(retries=3, timeout_s=0.5, first_wait_s=0.005, longest_wait_s=0.05)


def store_on(server: FaultServer, *, by: str = "wire", patience: Patience = LITTLE) -> ObjectStore:
    """The bucket of the server; `by` is the byte path: `wire`, or the store `library`."""
    store = open_store(
        f"s3://{BUCKET}",
        endpoint=server.url,
        access_key="access-key",
        secret_key="secret-key",
        retries=0,
        timeout_s=patience.timeout_s,
        patience=patience,
    )
    if by == "library":
        store.address = None
    return store


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture(params=["wire", "library"])
def store(request: pytest.FixtureRequest, server: FaultServer) -> ObjectStore:
    """The bucket, by both byte paths."""
    return store_on(server, by=request.param)
