"""kill -9 while files come in: what was acknowledged is there, nothing is half there, leftovers go."""

from __future__ import annotations

import hashlib
import io
import random
import threading
import time
import zipfile
from pathlib import Path

import httpx2
import pytest
from tests.conformance.files.conftest import SESSION, fill
from tests.faults.files.conftest import Served, served

from connectomedb.server.housekeeping import examine_files
from connectomedb.store.site import Site, init_site, open_site
from connectomedb.vocabulary.resource_paths import ItemAddress

N_KILLS = 12
N_SENDERS = 3
ADDRESS = ItemAddress("P", "S1", "S1_MR")


class Senders:
    """Threads that send files, replace one and send archives, and note what the server acknowledged."""

    def __init__(self, server: Served, turn: int) -> None:
        self._server = server
        self._turn = turn
        self.acknowledged: dict[str, set[str]] = {}
        self.sent: dict[str, set[str]] = {}
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(N_SENDERS)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self, sender: int) -> None:
        chance = random.Random(self._turn * 100 + sender)
        with self._server.client() as client:
            for n in range(10_000):
                body = chance.randbytes(chance.choice((10, 5_000, 300_000, 3_000_000)))
                name = f"t{self._turn}_{sender}_{n}.bin"
                try:
                    if n % 5 == 4:
                        self._send_archive(client, name, body)
                    elif n % 5 == 3:
                        self._send(client, f"replaced_{sender}.bin", body)
                    else:
                        self._send(client, name, body)
                except (httpx2.TransportError, httpx2.HTTPStatusError):
                    return

    def _send(self, client: httpx2.Client, name: str, body: bytes) -> None:
        digest = hashlib.md5(body).hexdigest()
        self.sent.setdefault(name, set()).add(digest)
        answer = client.put(f"{SESSION}/resources/KILLED/files/{name}?overwrite=true", content=body)
        answer.raise_for_status()
        self.acknowledged[name] = {digest}

    def _send_archive(self, client: httpx2.Client, name: str, body: bytes) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for n in range(5):
                archive.writestr(f"{name}/{n}", body[: n * 1000])
        for n in range(5):
            self.sent[f"{name}/{n}"] = {hashlib.md5(body[: n * 1000]).hexdigest()}
        answer = client.put(f"{SESSION}/resources/KILLED/files/a.zip?extract=true", content=packed.getvalue())
        answer.raise_for_status()
        self.acknowledged |= {f"{name}/{n}": self.sent[f"{name}/{n}"] for n in range(5)}


def check(site: Site, acknowledged: dict[str, set[str]], sent: dict[str, set[str]]) -> None:
    """Everything that was acknowledged is there with its bytes, and all that is there is whole."""
    admin = site.archive.find_user("admin")
    holders = site.archive.find_holders(ADDRESS, admin)
    files = site.archive.find_files(site.archive.list_resources(holders))
    found = {}
    for one in files:
        body = (site.files_folder / one.key).read_bytes()
        found[one.path] = hashlib.md5(body).hexdigest()
        assert (found[one.path], len(body)) == (one.md5, one.size_bytes), one.path
        assert hashlib.sha256(body).hexdigest() == one.sha256
        assert one.md5 in sent[one.path], one.path
    lost = {name for name in acknowledged if name not in found}
    assert not lost
    for name, digests in acknowledged.items():
        if not name.startswith("replaced"):
            assert found[name] in digests
    (resource,) = site.archive.list_resources(holders)
    assert (resource.n_files, resource.size_bytes) == (len(files), sum(one.size_bytes or 0 for one in files))
    for name in sent:  # an archive is there whole or not at all
        if name.endswith("/0"):
            assert len({f"{name[:-2]}/{n}" in found for n in range(5)}) == 1
    assert site.archive.examine() == ()


def test_kills_at_random_moments(fresh_database: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    with init_site(folder, database=fresh_database) as site:
        fill(site)
        site.archive.create_resource(ADDRESS, "KILLED", site.archive.find_user("alice"))
    chance = random.Random(20)
    acknowledged: dict[str, set[str]] = {}
    sent: dict[str, set[str]] = {}
    for turn in range(N_KILLS):
        with served(folder) as server:
            senders = Senders(server, turn)
            deadline = time.monotonic() + 20
            while not senders.acknowledged and time.monotonic() < deadline:
                time.sleep(0.01)  # the first login takes its time
            time.sleep(chance.uniform(0.0, 0.6))
            server.kill()
            senders.join()
        for name, digests in senders.sent.items():
            sent.setdefault(name, set()).update(digests)
        acknowledged |= senders.acknowledged
        with open_site(folder) as site:
            check(site, acknowledged, sent)
    assert len(acknowledged) > 2 * N_KILLS
    with open_site(folder) as site:
        examine_files(site, repair=True)
        assert examine_files(site) == ()
        check(site, acknowledged, sent)
        keys = {key for key, _ in site.archive.held_keys()}
        on_disk = {
            f"objects/{path.parent.name}/{path.name}" for path in site.files_folder.glob("objects/*/*")
        }
        assert on_disk == keys
        assert list((site.files_folder / "incoming").iterdir()) == []


def test_a_broken_server_is_found_out(fresh_database: str, tmp_path: Path) -> None:
    """The check is worth something: it sees bytes that are gone, and counts that are wrong."""
    folder = tmp_path / "site"
    with init_site(folder, database=fresh_database) as site:
        fill(site)
        with served(folder) as server, server.client() as client:
            answer = client.put(f"{SESSION}/resources/KILLED/files/a.bin", content=b"abc")
            assert answer.status_code == 200
        digest = {"a.bin": {hashlib.md5(b"abc").hexdigest()}}
        check(site, digest, digest)
        with pytest.raises(AssertionError):
            check(site, {**digest, "b.bin": {""}}, digest)
        ((key, _),) = site.archive.held_keys()
        (site.files_folder / key).write_bytes(b"abd")
        with pytest.raises(AssertionError):
            check(site, digest, digest)
        (site.files_folder / key).unlink()
        (problem,) = examine_files(site)
        assert problem.check == "bytes"
        assert problem.where.endswith("KILLED/a.bin")
