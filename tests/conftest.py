"""What every test may use: the demonstration site, built once per run, and a server on it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site
from connectomedb.testing.mirror import build_mirror, stamp_path
from connectomedb.testing.sample_site import build_site


def _once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Path:
    """A folder per test process: processes never share a database that they change."""
    return tmp_path_factory.mktemp(name)


@pytest.fixture(scope="session")
def sample_site_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic Q1 site (database only), as `connectomedb demo` makes it."""
    folder = _once(tmp_path_factory, "q1") / "site"
    build_site(folder)
    return folder


@pytest.fixture(scope="session")
def q1_server(sample_site_folder: Path) -> Iterator[str]:
    """URL of a running server on the synthetic Q1 site."""
    site = open_site(sample_site_folder)
    with ServerThread(site) as server:
        yield server.url
    site.close()


@pytest.fixture(scope="session")
def q1_mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic mirror of 71 subjects, made once per run and only read."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "q1-mirror"
    with (shared / "q1-mirror.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes share it; the first one makes it
        if not stamp_path(folder).exists():
            build_mirror(folder)
    return folder


@pytest.fixture(scope="session")
def demo_server(tmp_path_factory: pytest.TempPathFactory, q1_mirror: Path) -> Iterator[str]:
    """URL of a running server on the synthetic Q1 site with its mirror scanned in."""
    folder = _once(tmp_path_factory, "demo") / "site"
    build_site(folder, mirror=str(q1_mirror))
    site = open_site(folder)
    with ServerThread(site) as server:
        yield server.url
    site.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data; absent it is a failure where everything is required, else a skip."""
    root = Path(__file__).parent.parent
    folder = Path(os.environ.get("CONNECTOMEDB_SHARED", root.parent / "shared")) / "data" / "ds000030"
    if not folder.is_dir():
        message = f"no real data set at {folder}; set CONNECTOMEDB_SHARED"
        if os.environ.get("CONNECTOMEDB_REQUIRE_EVERYTHING"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
