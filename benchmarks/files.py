"""Files through the server beside bare peers in the same run: 256 MB down and up, and memory.

Down: beside `sendfile` in one thread, the least that a server of files can do (nginx is one around it), and
beside nginx where it is installed. Up: beside `cat` to the same disk with fsync.
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
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from connectomedb.store.site import init_site

SIZE = 256 << 20
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


def nginx_s(path: Path, folder: Path) -> float | None:
    """The same of nginx; None where there is none."""
    nginx = shutil.which("nginx")
    if nginx is None:
        return None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    conf = folder / "nginx.conf"
    conf.write_text(
        f"worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root {path.parent}; }} }}\n"
    )
    with subprocess.Popen([nginx, "-c", str(conf)]) as process:
        time.sleep(1)
        try:
            return min(fetched_s(f"http://127.0.0.1:{port}", f"/{path.name}") for _ in range(5))
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
    """All figures; rates in MB/s, the best of some."""
    with httpx2.Client(base_url=url, auth=AUTH, timeout=120) as client:
        client.put(FILE.replace("big", "small"), content=b"x")
        before = peak_mb(pid)
        ups, cats = [], []
        for _ in range(3):
            start = time.perf_counter()
            with big.open("rb") as source:
                client.put(f"{FILE}?overwrite=true", content=iter(lambda: source.read(1 << 20), b""))
            ups.append(time.perf_counter() - start)
            copy = f'cat "{big}" > "{folder}/copy" && sync "{folder}/copy"'
            start = time.perf_counter()
            subprocess.run(["sh", "-c", copy], check=True)
            cats.append(time.perf_counter() - start)
        session = f"Cookie: JSESSIONID={client.cookies['JSESSIONID']}\r\n"
        downs = [fetched_s(url, FILE, session) for _ in range(5)]
    bare_url = sendfile_server(big)
    bare = min(fetched_s(bare_url, "/") for _ in range(5))
    nginx = nginx_s(big, folder)
    mb = SIZE / 1e6
    return {
        "down_mb_per_s": mb / min(downs),
        "sendfile_mb_per_s": mb / bare,
        "nginx_mb_per_s": mb / nginx if nginx else None,
        "down_of_nginx": nginx / min(downs) if nginx else None,
        "down_of_sendfile": bare / min(downs),
        "up_mb_per_s": mb / min(ups),
        "cat_mb_per_s": mb / min(cats),
        "up_of_cat": min(cats) / min(ups),
        "memory_grew_mb": peak_mb(pid) - before,
    }


def peak_mb(pid: int) -> float:
    """The most memory that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
