"""Files through the server beside its peers in the same run: 256 MB down and up, CPU seconds, and memory.

Down: beside nginx where it is installed, and beside `sendfile` in one thread, the least that a server of
files can do. Up: beside `cat` to the same disk with fsync. Who is measured takes turns, and medians are told:
a machine that is busy is busy for all.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import httpx2

from connectomedb.store.site import init_site

SIZE = 256 << 20
N_RUNS = 3
AUTH = ("alice", "alice-of-the-bench")
FILE = "/data/projects/P/resources/R/files/big.bin"
SERVE = "import sys; from connectomedb.cli.main import main; main(['serve', sys.argv[1], '--port', '0'])"


def fetched_s(url: str, path: str, cookie: str = "") -> float:
    """Seconds to read the whole answer into one buffer, over a plain socket: the same for every server."""
    parts = urlsplit(url)
    buffer = bytearray(1 << 20)
    start = time.perf_counter()
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as peer:
        head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n{cookie}\r\n"
        peer.sendall(head.encode())
        n_bytes = 0
        while n := peer.recv_into(buffer):
            n_bytes += n
    assert n_bytes > SIZE
    return time.perf_counter() - start


def sent_s(url: str, path: str, cookie: str, source: Path) -> float:
    """Seconds to send the file over a plain socket and have it acknowledged."""
    parts = urlsplit(url)
    start = time.perf_counter()
    with (
        socket.create_connection((parts.hostname or "", parts.port or 0)) as peer,
        source.open("rb") as opened,
    ):
        head = f"PUT {path}?overwrite=true HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n{cookie}"
        peer.sendall(f"{head}Content-Length: {SIZE}\r\n\r\n".encode())
        peer.sendfile(opened)
        answer = peer.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return time.perf_counter() - start


def sendfile_server(path: Path) -> str:
    """Sends the file to whoever connects."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            peer, _ = listener.accept()
            with peer, path.open("rb") as source:
                peer.recv(65536)
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
                peer.sendfile(source)

    threading.Thread(target=run, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def nginx_server(path: Path, folder: Path) -> Iterator[tuple[str, int] | None]:
    """Address of an nginx that serves the file, and its process; None where there is no nginx."""
    nginx = shutil.which("nginx")
    if nginx is None:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    conf = folder / "nginx.conf"
    folder.chmod(0o755)  # its worker has an account of its own
    conf.write_text(
        f"master_process off; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root {path.parent}; }} }}\n"
    )
    with subprocess.Popen([nginx, "-c", str(conf)]) as process:
        time.sleep(1)
        try:
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        big = folder / "big.bin"
        block = os.urandom(1 << 20)
        with big.open("wb") as target:
            for _ in range(SIZE >> 20):
                target.write(block)
        with init_site(folder / "site") as site:
            site.archive.add_user(*AUTH)
            site.archive.add_project("P", insert_user=AUTH[0])
            site.archive.grant("P", AUTH[0], "owner")
        command = [sys.executable, "-c", SERVE, str(folder / "site")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            url = process.stdout.readline().split(" at ")[1].split()[0]
            try:
                print(json.dumps(measured(url, big, folder, process.pid), indent=1))
            finally:
                process.terminate()


def measured(url: str, big: Path, folder: Path, pid: int) -> dict[str, float | None]:
    """All figures, medians of `N_RUNS`; rates in MB/s, CPU seconds of the server for one file."""
    with httpx2.Client(base_url=url, auth=AUTH, timeout=120) as client:
        client.put(FILE.replace("big", "small"), content=b"x")
        before = peak_mb(pid)
        session = f"Cookie: JSESSIONID={client.cookies['JSESSIONID']}\r\n"
        ups, cats, cpu = [], [], cpu_s(pid)
        for _ in range(N_RUNS):
            ups.append(sent_s(url, FILE, session, big))
            copy = f'cat "{big}" > "{folder}/copy" && sync "{folder}/copy"'
            start = time.perf_counter()
            subprocess.run(["sh", "-c", copy], check=True)
            cats.append(time.perf_counter() - start)
        up_cpu = (cpu_s(pid) - cpu) / N_RUNS
    bare_url = sendfile_server(big)
    downs, bares, nginxes = [], [], []
    down_cpu = nginx_cpu = 0.0
    with nginx_server(big, folder) as nginx:
        for _ in range(N_RUNS):
            cpu = cpu_s(pid)
            downs.append(fetched_s(url, FILE, session))
            down_cpu += (cpu_s(pid) - cpu) / N_RUNS
            bares.append(fetched_s(bare_url, "/"))
            if nginx is not None:
                cpu = cpu_s(nginx[1])
                nginxes.append(fetched_s(nginx[0], f"/{big.name}"))
                nginx_cpu += (cpu_s(nginx[1]) - cpu) / N_RUNS
    mb, up, cat, down, bare = SIZE / 1e6, median(ups), median(cats), median(downs), median(bares)
    return {
        "down_mb_per_s": mb / down,
        "down_cpu_s": down_cpu,
        "nginx_mb_per_s": mb / median(nginxes) if nginxes else None,
        "nginx_cpu_s": nginx_cpu if nginxes else None,
        "down_of_nginx": median(nginxes) / down if nginxes else None,
        "sendfile_mb_per_s": mb / bare,
        "down_of_sendfile": bare / down,
        "up_mb_per_s": mb / up,
        "up_cpu_s": up_cpu,
        "cat_mb_per_s": mb / cat,
        "up_of_cat": cat / up,
        "memory_grew_mb": peak_mb(pid) - before,
    }


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """The most memory that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
