"""Bytes in a real S3 server: entries of catalogs that point there, and a site whose whole store is there.

The server, `rclone serve s3`, answers ranges with status 200: such stores are read, too.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from tests.conformance.files.conftest import SESSION, fill
from tests.conformance.objects.conftest import S3, serve_s3
from tests.conformance.store.conftest import new_database

from connectomedb.errors import TransferError
from connectomedb.objects import held
from connectomedb.objects.stores import ObjectStore, open_store
from connectomedb.server.housekeeping import back_up_site, examine_files
from connectomedb.server.run import ServerThread
from connectomedb.store.backup import restore
from connectomedb.store.site import Site, init_site, open_site, read_facts, write_facts

# Large enough to go in parts.
LARGE = os.urandom(12_000_000)


@dataclass(frozen=True)
class InS3:
    """A served site, the bucket that it may read, the bucket of its own files, and its people."""

    site: Site
    url: str
    open_data: ObjectStore
    own: ObjectStore
    endpoint: str

    def caller(self, login: str) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, auth=(login, f"{login}-of-the-test"), timeout=60)


@pytest.fixture(scope="module")
def there(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InS3]:
    """A site whose files are in one bucket, and another bucket that it may read."""
    root = tmp_path_factory.mktemp("buckets")
    for bucket in ("open-data", "site"):
        (root / bucket).mkdir()
    folder = tmp_path_factory.mktemp("in-s3") / "site"
    with pytest.MonkeyPatch.context() as patch, serve_s3(root) as endpoint:
        patch.setenv("AWS_ACCESS_KEY_ID", S3.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", S3.secret_key)
        own = f"s3://site/files?endpoint={endpoint}"
        with init_site(folder, database=database) as site:
            fill(site)
        write_facts(folder, {**read_facts(folder), "files": own})
        with open_site(folder) as site, ServerThread(site) as server:
            open_data = open_store(f"s3://open-data?endpoint={endpoint}")
            yield InS3(site, server.url, open_data, open_store(own), endpoint)


@pytest.fixture
def alice(there: InS3) -> Iterator[httpx2.Client]:
    """Owns the project."""
    with there.caller("alice") as client:
        yield client


def bundled(client: httpx2.Client, address: str, kind: str) -> list[bytes]:
    """The bytes of each member, sorted."""
    answer = client.get(f"{address}?format={kind}")
    assert answer.status_code == 200, answer.text
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            return sorted(archive.read(name) for name in archive.namelist())
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as packed:
        opened = [packed.extractfile(member) for member in packed.getmembers() if member.isfile()]
        return sorted(one.read() for one in opened if one is not None)


def objects_of(there: InS3) -> set[str]:
    return {one.key for one in there.own.list_prefix("objects")}


def test_a_site_in_s3(there: InS3, alice: httpx2.Client) -> None:
    files = f"{SESSION}/resources/IN_S3/files"
    bodies = {"large.bin": LARGE, "small.txt": b"small", "empty": b""}
    before = objects_of(there)
    for name, body in bodies.items():
        sent = alice.put(f"{files}/{name}?inbody=true", content=body)
        assert sent.status_code == 200, sent.text
    # Nothing stays on the disk, and no name of a user is a name in the bucket.
    assert not list(there.site.files_folder.glob("incoming/*"))
    assert not list(there.site.files_folder.glob("objects/*/*"))
    assert len(objects_of(there) - before) == 3
    for name, body in bodies.items():
        answer = alice.get(f"{files}/{name}")
        assert answer.content == body
        assert answer.headers["etag"] == f'"{hashlib.md5(body).hexdigest()}"'
    for said, start, end in (
        ("bytes=0-9", 0, 10),
        ("bytes=5000000-9000000", 5_000_000, 9_000_001),
        ("bytes=-7", -7, None),
    ):
        part = alice.get(f"{files}/large.bin", headers={"Range": said})
        assert (part.status_code, part.content) == (206, LARGE[start:end])
    assert alice.get(f"{files}/large.bin", headers={"Range": "bytes=99999999-"}).status_code == 416
    for kind in ("zip", "tar", "tar.gz"):
        assert bundled(alice, files, kind) == sorted(bodies.values())
    # Who can reach the bucket is sent there, with an address that is good for a while.
    sent_on = alice.get(f"{files}/large.bin?redirect=true")
    assert sent_on.status_code == 307
    with httpx2.Client() as anybody:
        assert anybody.get(sent_on.headers["location"]).content == LARGE
        assert anybody.get(sent_on.headers["location"].partition("?")[0]).status_code >= 400
    alice.delete(f"{SESSION}/resources/IN_S3")


def test_what_is_replaced_and_deleted_in_s3(
    there: InS3, alice: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = f"{SESSION}/resources/GOING/files"
    before = objects_of(there)
    alice.put(f"{files}/a.txt", content=b"old")
    assert alice.put(f"{files}/a.txt", content=b"new").json() == {"duplicates": ["a.txt"]}
    assert len(objects_of(there) - before) == 1, "what was not kept goes at once"
    assert alice.put(f"{files}/a.txt?overwrite=true", content=b"new").status_code == 200
    assert alice.get(f"{files}/a.txt").content == b"new"
    assert alice.delete(f"{files}/a.txt").status_code == 200
    assert alice.get(f"{files}/a.txt").status_code == 404
    assert examine_files(there.site, repair=True) == ()
    assert len(objects_of(there) - before) == 2, "other hosts may still read or write: they stay for a day"
    monkeypatch.setattr(held, "_LEFT_AFTER_S", -60.0)
    examine_files(there.site, repair=True)
    assert {key for key, _ in there.site.archive.held_keys()} == objects_of(there)
    assert examine_files(there.site) == ()


def test_bytes_that_s3_lost_are_named(there: InS3, alice: httpx2.Client) -> None:
    files = f"{SESSION}/resources/LOST/files"
    before = set(there.site.archive.held_keys())
    alice.put(f"{files}/a.txt", content=b"a")
    ((key, where),) = set(there.site.archive.held_keys()) - before
    there.own.delete(key)
    assert alice.get(f"{files}/a.txt").status_code >= 400
    (problem,) = examine_files(there.site)
    assert (problem.check, problem.where) == ("bytes", where)
    alice.delete(f"{SESSION}/resources/LOST")


def test_a_backup_says_where_the_files_stay(
    there: InS3,
    alice: httpx2.Client,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    files = f"{SESSION}/resources/BACKED/files"
    alice.put(f"{files}/a.txt", content=b"stays")
    manifest = back_up_site(there.site, tmp_path / "b.zip")
    assert manifest.elsewhere == there.site.files_url
    assert manifest.n_files == 0
    backend = there.site.archive.engine.dialect.name
    database = "" if backend == "sqlite" else new_database(backend, request, tmp_path_factory)
    restore(tmp_path / "b.zip", tmp_path / "again", database=database)
    with open_site(tmp_path / "again") as again, ServerThread(again) as server:
        auth = ("alice", "alice-of-the-test")
        with httpx2.Client(base_url=server.url, auth=auth) as client:
            assert client.get(f"{files}/a.txt").content == b"stays"
    alice.delete(f"{SESSION}/resources/BACKED")


def test_entries_of_a_catalog_in_s3(there: InS3, alice: httpx2.Client, tmp_path: Path) -> None:
    """They are read through the server, whole, in part and in bundles; deleting one leaves the object."""
    local = tmp_path / "scan.nii.gz"
    local.write_bytes(LARGE)
    there.open_data.put_file("subject/T1w scan.nii.gz", local)
    url = f"s3://open-data/subject/T1w%20scan.nii.gz?endpoint={there.endpoint}"
    entry = f'<cat:entry URI="{url}" name="scan.nii.gz" ID="scan.nii.gz"/>'
    entries = f"<cat:entries>{entry}</cat:entries>"
    catalog = f'<cat:Catalog xmlns:cat="http://nrg.wustl.edu/catalog">{entries}</cat:Catalog>'
    home = f"{SESSION}/resources/AWAY"
    assert alice.put(home, content=catalog.encode()).status_code == 403
    there.site.archive.set_setting("file_locations", "s3://open-data")
    taken = alice.put(home, content=catalog.encode())
    assert taken.status_code in (200, 201), taken.text
    (listed,) = alice.get(f"{home}/files?format=json").json()["ResultSet"]["Result"]
    answer = alice.get(listed["URI"])
    assert answer.content == LARGE
    part = alice.get(listed["URI"], headers={"Range": "bytes=6000000-"})
    assert (part.status_code, part.content) == (206, LARGE[6_000_000:])
    assert alice.put(f"{home}/files/own.txt", content=b"own").status_code == 200
    assert bundled(alice, f"{home}/files", "zip") == sorted([LARGE, b"own"])
    sent_on = alice.get(f"{listed['URI']}?redirect=true")
    with httpx2.Client() as anybody:
        assert anybody.get(sent_on.headers["location"]).content == LARGE
    gone = quote(f"s3://open-data/none?endpoint={there.endpoint}", safe="")
    assert alice.put(f"{home}/files/gone.txt?reference={gone}").status_code == 200
    missing = alice.get(f"{home}/files/gone.txt")
    assert missing.status_code == 502
    assert S3.secret_key not in missing.text
    assert alice.delete(home).status_code == 200
    assert there.open_data.has("subject/T1w scan.nii.gz")


def test_an_s3_that_does_not_answer_refuses_the_upload(there: InS3, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is entered, nothing is left, the old file stays."""
    files = f"{SESSION}/resources/REFUSED/files"
    with there.caller("alice") as alice:
        alice.put(f"{files}/a.txt", content=b"old")
        before = objects_of(there)

        def broken(_self: ObjectStore, key: str, _path: Path) -> None:
            raise TransferError(f"the store refuses {key}")

        monkeypatch.setattr(ObjectStore, "put_file", broken)
        assert alice.put(f"{files}/a.txt?overwrite=true", content=b"new").status_code >= 500
        assert alice.get(f"{files}/a.txt").content == b"old"
        assert objects_of(there) == before
        assert not list(there.site.files_folder.glob("incoming/*"))
