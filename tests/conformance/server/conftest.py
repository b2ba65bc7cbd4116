"""A logged-in and a logged-out caller of the running demonstration site."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

READER = ("guest-reader", "reader-demo")


@pytest.fixture
def stranger(q1_server: str) -> Iterator[httpx2.Client]:
    """Somebody without a login."""
    with httpx2.Client(base_url=q1_server) as client:
        yield client


@pytest.fixture
def reader(q1_server: str) -> Iterator[httpx2.Client]:
    """The ordinary account: a collaborator of HCP_Q1 only."""
    with httpx2.Client(base_url=q1_server, auth=READER) as client:
        yield client
