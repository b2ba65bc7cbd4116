"""A server in a process of its own, to be killed, and databases of both kinds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
from tests.conformance.store.conftest import fresh_database, postgresql_url  # noqa: F401 - pytest finds them here

AUTH = ("alice", "alice-of-the-test")
SERVE = """
import resource, sys
from connectomedb.cli.main import main
if len(sys.argv) > 2:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
{broken}
main(["serve", sys.argv[1], "--port", "0"])
"""


@dataclass
class Served:
    """A running server."""

    url: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """End it as a power cut ends it for a process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, auth=AUTH, timeout=30)

    def peak_mb(self) -> float:
        """The most memory that the process ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


@contextmanager
def served(folder: Path, *limit: int, broken: str = "") -> Iterator[Served]:
    """The site in a process of its own; with a limit, no file of it grows beyond so many bytes.

    `broken` is code that spoils the server before it starts.
    """
    command = [sys.executable, "-c", SERVE.replace("{broken}", broken), str(folder), *map(str, limit)]
    with (folder / "server.log").open("a") as log:
        # What is for the tests is no setting of the server.
        env = {name: value for name, value in os.environ.items() if name != "CONNECTOMEDB_KILLS"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=env)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (folder / "server.log").read_text()
        yield Served(line.split()[line.split().index("at") + 1], process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
