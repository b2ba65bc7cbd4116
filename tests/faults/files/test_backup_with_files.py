"""A backup with the uploaded files, taken while others send, replace and delete: it restores whole."""

from __future__ import annotations

import hashlib
import random
import threading
import time
import zipfile
from pathlib import Path

import httpx2
import pytest
from tests.conformance.files.conftest import SESSION, fill
from tests.conformance.store.conftest import new_database
from tests.faults.files.conftest import AUTH

from connectomedb.errors import ConfigurationError
from connectomedb.objects import held
from connectomedb.objects.held import open_held
from connectomedb.server.housekeeping import back_up_site, examine_files
from connectomedb.server.run import ServerThread
from connectomedb.store.backup import back_up, check_backup, restore
from connectomedb.store.site import init_site, open_site, read_facts, write_facts

HOME = f"{SESSION}/resources/BACKED"


def change_files(url: str, stop: threading.Event, sender: int, acknowledged: dict[str, bytes]) -> None:
    chance = random.Random(sender)
    with httpx2.Client(base_url=url, auth=AUTH, timeout=30) as client:
        n = 0
        while not stop.is_set():
            n += 1
            body = chance.randbytes(chance.choice((10, 40_000, 400_000)))
            name = f"{sender}_{n % 7}.bin"
            client.put(f"{HOME}/files/{name}?overwrite=true", content=body).raise_for_status()
            if n % 5 == 0:
                client.delete(f"{HOME}/files/{name}").raise_for_status()
            acknowledged[f"{sender}_{n}"] = body


def test_a_backup_amid_uploads_is_whole(
    fresh_database: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is removed is gone at once, unless the backup holds it.
    monkeypatch.setattr(held, "_READ_FOR_S", -1.0)
    is_sqlite = fresh_database.startswith("sqlite")
    with init_site(tmp_path / "site", database="" if is_sqlite else fresh_database) as site:
        fill(site)
        with ServerThread(site) as server, httpx2.Client(base_url=server.url, auth=AUTH, timeout=30) as alice:
            assert alice.put(f"{HOME}/files/first.bin", content=b"first").status_code == 200
            stop = threading.Event()
            acknowledged: dict[str, bytes] = {}
            senders = [
                threading.Thread(target=change_files, args=(server.url, stop, n, acknowledged))
                for n in range(2)
            ]
            for sender in senders:
                sender.start()
            try:
                for n in range(3):
                    time.sleep(0.3)
                    manifest = back_up_site(site, tmp_path / f"{n}.zip")
                    assert manifest.missing == ()
            finally:
                stop.set()
                for sender in senders:
                    sender.join()
            assert len(acknowledged) > 20
    for n in range(3):
        backend = "sqlite" if is_sqlite else "postgresql"
        database = "" if is_sqlite else new_database(backend, request, tmp_path_factory)
        assert restore(tmp_path / f"{n}.zip", tmp_path / f"again{n}", database=database).n_files > 0
        with open_site(tmp_path / f"again{n}") as again:
            assert examine_files(again) == ()
            with (
                ServerThread(again) as server,
                httpx2.Client(base_url=server.url, auth=AUTH, timeout=30) as alice,
            ):
                listed = alice.get(f"{HOME}/files?format=json").json()["ResultSet"]["Result"]
                assert listed
                for one in listed:
                    body = alice.get(one["URI"]).content
                    assert hashlib.md5(body).hexdigest() == one["digest"]
                assert alice.get(f"{HOME}/files/first.bin").content == b"first"
                assert alice.put(f"{HOME}/files/after.bin", content=b"after").status_code == 200


def test_a_store_that_forgets_amid_a_backup_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hold is what keeps it whole: without it an object is gone, and the manifest says so."""
    monkeypatch.setattr(held, "_READ_FOR_S", -1.0)
    with init_site(tmp_path / "site") as site:
        fill(site)
        with ServerThread(site) as server, httpx2.Client(base_url=server.url, auth=AUTH, timeout=30) as alice:
            alice.put(f"{HOME}/files/a.bin", content=b"a")
            ((key, _),) = site.archive.held_keys()
            store = open_held(site.files_folder)
            with store.kept():
                assert alice.delete(f"{HOME}/files/a.bin").status_code == 200
                assert store.sweep(site.archive.known_keys) == 0
                with store.open(key) as source:
                    assert source.read() == b"a"
            store.remove(["objects/00/" + "0" * 32])
            assert store.missing([key])
            alice.put(f"{HOME}/files/b.bin", content=b"b")
            ((key, _),) = site.archive.held_keys()
            (site.files_folder / key).unlink()
            assert back_up_site(site, tmp_path / "b.zip").missing == (key,)
            with pytest.raises(ConfigurationError, match="connectomedb backup"):
                back_up(site, tmp_path / "c.zip")


def test_files_elsewhere(tmp_path: Path) -> None:
    """A folder beside the site is taken along, a store at a URL is named and stays."""
    with init_site(tmp_path / "site") as site:
        fill(site)
    write_facts(tmp_path / "site", {**read_facts(tmp_path / "site"), "files": str(tmp_path / "large")})
    with open_site(tmp_path / "site") as site:
        with ServerThread(site) as server, httpx2.Client(base_url=server.url, auth=AUTH, timeout=30) as alice:
            alice.put(f"{HOME}/files/a.bin", content=b"a")
        assert back_up_site(site, tmp_path / "a.zip").n_files == 1
    restore(tmp_path / "a.zip", tmp_path / "again")
    with open_site(tmp_path / "again") as again:
        assert again.files_url == ""
        assert examine_files(again) == ()
    url = "s3://bucket/files?endpoint=http://127.0.0.1:9"
    write_facts(tmp_path / "site", {**read_facts(tmp_path / "site"), "files": url})
    with open_site(tmp_path / "site") as site:
        manifest = back_up_site(site, tmp_path / "b.zip")
    assert (manifest.elsewhere, manifest.n_files) == (url, 0)
    assert check_backup(tmp_path / "b.zip") == manifest
    restore(tmp_path / "b.zip", tmp_path / "there")
    with open_site(tmp_path / "there") as there:
        assert there.files_url == url
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert not [name for name in archive.namelist() if name.startswith("files/")]
