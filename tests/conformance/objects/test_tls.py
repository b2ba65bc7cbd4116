"""The same S3 server over TLS: trusted when its authority is named, refused by name when not."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conformance.objects.conftest import S3, md5

from connectomedb.objects import wire
from connectomedb.objects.plan import make_plan
from connectomedb.objects.stores import open_store
from connectomedb.objects.transfer import run_plan
from connectomedb.vocabulary.records import FileRow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, Path]]:
    """Address, folder and certificate of an S3 server with TLS."""
    root = tmp_path_factory.mktemp("tls")
    (root / "served/mirror").mkdir(parents=True)
    key, certificate = root / "key.pem", root / "cert.pem"
    openssl = shutil.which("openssl")
    assert openssl, "openssl is missing; it makes the certificate"
    subprocess.run(
        [
            openssl,
            *["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"],
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rclone = shutil.which("rclone", path=str(Path(sys.executable).parent))
    assert rclone, "rclone is missing; `make test` installs it"
    keys = ["--auth-key", f"{S3.access_key},{S3.secret_key}"]
    tls = ["--cert", str(certificate), "--key", str(key)]
    process = subprocess.Popen(
        [rclone, "serve", "s3", "--addr", f"127.0.0.1:{port}", *keys, *tls, str(root / "served")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"https://127.0.0.1:{port}", root / "served/mirror", certificate
    finally:
        process.terminate()
        process.wait(10)


def test_over_tls(served: tuple[str, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, folder, certificate = served
    bodies = {"small": b"abc", "empty": b"", "large": bytes(range(256)) * 8192}
    rows = []
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
        rows.append(FileRow("100307", name, len(body), "md5", md5(folder / name)))
    store = open_store("s3://mirror", endpoint=url, access_key=S3.access_key, secret_key=S3.secret_key)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    wire._tls.cache_clear()
    refused = run_plan(make_plan(rows, tmp_path / "refused", location="s3://mirror"), store)
    assert refused.counts == {"failed": 3}
    assert "SSL_CERT_FILE" in str(refused.failures[0].error)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    wire._tls.cache_clear()
    plan = make_plan(rows, tmp_path / "in", location="s3://mirror")
    report = run_plan(plan, store, segment_bytes=1 << 18)
    wire._tls.cache_clear()
    report.raise_for_failures()
    assert {name: (tmp_path / "in" / name).read_bytes() for name in bodies} == bodies
