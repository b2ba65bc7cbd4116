"""The synthetic mirror, and a real S3 server in front of it."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectomedb.objects.stores import ObjectStore, open_store


@dataclass(frozen=True)
class S3:
    """Address and keys of the S3 server; the mirror is the bucket `mirror`."""

    endpoint: str
    folder: Path
    access_key: str = "access-key-of-the-tests"  # rclone refuses very short ones
    secret_key: str = "secret-key-of-the-tests"

    def open(self) -> ObjectStore:
        return open_store(
            "s3://mirror", endpoint=self.endpoint, access_key=self.access_key, secret_key=self.secret_key
        )


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory, q1_mirror: Path) -> Iterator[S3]:
    """`rclone serve s3` on the mirror of 71 subjects, read only."""
    root = tmp_path_factory.mktemp("s3")
    (root / "mirror").symlink_to(q1_mirror)
    with serve_s3(root) as endpoint:
        yield S3(endpoint, q1_mirror)


@contextmanager
def serve_s3(root: Path) -> Iterator[str]:
    """Address of a `rclone serve s3`, whose buckets are the folders in `root`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rclone = shutil.which("rclone", path=str(Path(sys.executable).parent))
    assert rclone, "rclone is missing; `make test` installs it"
    keys = f"{S3.access_key},{S3.secret_key}"
    command = [
        rclone,
        "serve",
        "s3",
        "--copy-links",
        "--addr",
        f"127.0.0.1:{port}",
        "--auth-key",
        keys,
        str(root),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            pytest.fail("rclone serve s3 did not come up")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
