"""Bodies, names and archives that were made to do harm; cut and slow ones; a disk without room."""

from __future__ import annotations

import base64
import errno
import gzip
import hashlib
import io
import os
import socket
import struct
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from tests.conformance.files.conftest import SESSION, fill
from tests.faults.files.conftest import AUTH, served

from connectomedb.errors import ArchiveRefused, ConnectomeDBError, TooMuch
from connectomedb.objects import held
from connectomedb.objects.unpack import Limits, unpack
from connectomedb.server import uploads
from connectomedb.server.run import ServerThread
from connectomedb.store.site import Site, init_site

HOME = f"{SESSION}/resources/HOSTILE/files"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with init_site(tmp_path_factory.mktemp("hostile") / "site") as site:
        fill(site)
        yield site


@pytest.fixture(scope="module")
def server(site: Site) -> Iterator[str]:
    with ServerThread(site) as running:
        yield running.url


@pytest.fixture
def alice(server: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server, auth=AUTH, timeout=30) as client:
        yield client


def raw(
    server: str, head: str, body: bytes = b"", *, then_close: bool = False, says_bytes: int | None = None
) -> bytes:
    """What a server answers to bytes as they are: no library makes an address harmless on the way."""
    parts = urlsplit(server)
    token = base64.b64encode(":".join(AUTH).encode()).decode()
    text = f"{head}\r\nHost: {parts.netloc}\r\nAuthorization: Basic {token}\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as peer:
        length = f"Content-Length: {len(body) if says_bytes is None else says_bytes}\r\n\r\n"
        peer.sendall((text if then_close else text + length).encode() + body)
        if then_close:
            return b""
        found = b""
        while b"\r\n\r\n" not in found:
            piece = peer.recv(65536)
            if not piece:
                break
            found += piece
        return found


def kept_outside(site: Site) -> set[str]:
    """Everything in the site's folder that is no object; nothing a user sends may add to it."""
    held = site.files_folder
    places = {held / "objects", held / "removed", held / "incoming", held / "sweep.lock"}
    places.add(site.folder / "audit")
    return {
        str(path)
        for path in site.folder.parent.rglob("*")
        if not any(place == path or place in path.parents for place in places)
        and "connectomedb.db" not in path.name
        and path != held
    }


@pytest.mark.parametrize(
    "path",
    [
        "../../../../evil.txt",
        "a/../../evil.txt",
        "%2e%2e/%2e%2e/evil.txt",
        "..%2f..%2fevil.txt",
        "a/%2e%2e/b",
        "%2fetc%2fpasswd",
        "/etc/passwd",
        "a%5c..%5cevil.txt",
        "nul%00byte",
        "line%0d%0aSet-Cookie:x",
        "a%e2%80%aegnp.exe",
        ".",
        "..",
        "a//b/./c",
        "n" * 256,
        "d/" * 1100 + "x",
    ],
)
def test_names_that_no_file_has(server: str, site: Site, path: str) -> None:
    before = kept_outside(site)
    answer = raw(server, f"PUT {HOME}/{path}?inbody=true HTTP/1.1", b"evil")
    status = int(answer.split()[1])
    assert status in (400, 404), answer
    assert b"Traceback" not in answer
    assert kept_outside(site) == before
    read = raw(server, f"GET {HOME}/{path} HTTP/1.1")
    assert int(read.split()[1]) in (400, 404)
    assert b"root:" not in read


def packed_tar(*members: tarfile.TarInfo) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return target.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def packed_zip(name: str, body: bytes = b"x", mode: int = 0) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, body)
    return target.getvalue()


ENCRYPTED = bytearray(packed_zip("secret.txt"))
for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
    at = ENCRYPTED.index(signature) + offset
    ENCRYPTED[at] |= 1
DAMAGED = bytearray(packed_zip("a.txt", os.urandom(10_000)))
DAMAGED[5000] ^= 0xFF
HARMFUL = {
    "symlink in a tar": packed_tar(member("fine", size=1), member("link", tarfile.SYMTYPE, "/etc/passwd")),
    "hard link": packed_tar(member("link", tarfile.LNKTYPE, "../../x")),
    "device": packed_tar(member("null", tarfile.CHRTYPE)),
    "fifo": packed_tar(member("pipe", tarfile.FIFOTYPE)),
    "climbing tar": packed_tar(member("../../../evil", size=3)),
    "symlink in a zip": packed_zip("link", b"/etc/passwd", 0o120777),
    "climbing zip": packed_zip("a/../../evil"),
    "backslashes": packed_zip("..\\..\\evil"),
    "the same twice": packed_tar(member("a", size=1), member("./a", size=1)),
    "twice by composition": packed_tar(member("caf\u00e9", size=1), member("cafe\u0301", size=1)),
    "a file and a folder": packed_tar(member("a", size=1), member("a/b", size=1)),
    "encrypted": bytes(ENCRYPTED),
    "damaged": bytes(DAMAGED),
    "cut": packed_tar(member("a", size=1_000_000))[:-200],
    "no archive": b"not an archive at all",
    "empty": packed_tar(),
    "gzip of no tar": gzip.compress(b"words" * 1000),
}


@pytest.mark.parametrize("what", HARMFUL)
def test_archives_that_are_refused_whole(alice: httpx2.Client, site: Site, what: str) -> None:
    before = kept_outside(site)
    answer = alice.put(f"{HOME}/up?extract=true", content=HARMFUL[what])
    assert answer.status_code in (400, 409, 422), answer.text
    assert kept_outside(site) == before
    assert alice.get(f"{HOME}?format=csv").text.count("\n") <= 1
    assert not list((site.files_folder / "incoming").iterdir())
    assert not list(site.files_folder.glob("objects/*/*"))


def read_through(packed: io.BytesIO, limits: Limits) -> None:
    for one in unpack(packed, len(packed.getvalue()), limits):
        for _ in one.pieces:
            pass


def test_bombs_are_put_out_while_they_unpack() -> None:
    zeros = io.BytesIO()
    with zipfile.ZipFile(zeros, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as opened:
        for _ in range(400):
            opened.write(bytes(1 << 20))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as opened_gz:
        opened_gz.write(member("zeros", size=400 << 20).tobuf())
        for _ in range(400):
            opened_gz.write(bytes(1 << 20))
    # A header that says it is 300 MB long is not read into memory.
    long_head = io.BytesIO()
    with gzip.GzipFile(fileobj=long_head, mode="wb") as opened_gz:
        opened_gz.write(member("pax", tarfile.XHDTYPE, size=300 << 20).tobuf())
        for _ in range(300):
            opened_gz.write(bytes(1 << 20))
    for bomb, error in ((zeros, TooMuch), (packed, TooMuch), (long_head, ArchiveRefused)):
        with pytest.raises(error):
            read_through(bomb, Limits())


def test_too_many_members_and_too_many_bytes() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for n in range(50):
            archive.writestr(str(n), b"x" * 100)
    for limits in (Limits(n_members=49), Limits(total_bytes=4999)):
        with pytest.raises(TooMuch):
            read_through(target, limits)
    # A table of contents that claims to be huge is not read.
    data = bytearray(target.getvalue())
    struct.pack_into("<I", data, data.rindex(b"PK\x05\x06") + 12, 0xFFFFFFF0)
    with pytest.raises(ConnectomeDBError):
        list(unpack(io.BytesIO(bytes(data)), len(data)))


def test_html_is_never_shown(alice: httpx2.Client) -> None:
    name = '<img src=x onerror="alert(1)">.html'
    address = f"{SESSION}/resources/HTML/files/{quote(name)}"
    assert alice.put(address, content=b"<html><script>alert(1)</script></html>").status_code == 200
    answer = alice.get(address)
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "\n" not in answer.headers["content-disposition"]
    page = alice.get(f"{SESSION}/resources/HTML/files?format=html")
    assert "<img" not in page.text
    catalog = alice.get(f"{SESSION}/resources/HTML")
    assert "<img" not in catalog.text
    wrong = alice.get(f"{SESSION}/resources/HTML/files/<img src=x>")
    assert wrong.headers["content-type"].startswith("text/plain")
    alice.delete(f"{SESSION}/resources/HTML")


def test_what_is_elsewhere_is_named_by_administrators(alice: httpx2.Client, site: Site, server: str) -> None:
    for url in ("http://169.254.169.254/latest/meta-data", "s3://bucket/key", "https://x.example.org/a"):
        assert alice.put(f"{HOME}/e.txt?reference={quote(url, safe='')}").status_code == 403, url
        entry = f'<cat:entry URI="{url}" name="e"/>'
        catalog = f'<cat:Catalog xmlns:cat="http://nrg.wustl.edu/catalog">{entry}</cat:Catalog>'
        assert alice.put(f"{SESSION}/resources/HOSTILE", content=catalog.encode()).status_code == 403, url
    for url in ("file:///etc/passwd", "/etc/passwd", "s3://b/../x", "http://u@h/x", "gopher://h/x"):
        answer = alice.put(f"{HOME}/e.txt?reference={quote(url, safe='')}")
        assert answer.status_code in (400, 403), url
    site.archive.set_setting("file_locations", "https://x.example.org/open")
    assert alice.put(f"{HOME}/e.txt?reference=https://x.example.org/open/a.txt").status_code == 200
    assert alice.put(f"{HOME}/f.txt?reference=https://x.example.org/opened.txt").status_code == 403
    redirected = alice.get(f"{HOME}/e.txt?redirect=true")
    assert (redirected.status_code, redirected.headers["location"]) == (
        307,
        "https://x.example.org/open/a.txt",
    )
    alice.delete(f"{HOME}/e.txt")


def test_an_entry_elsewhere_is_streamed(alice: httpx2.Client, server: str, site: Site) -> None:
    """The other place is the server's own static files: a real HTTP store."""
    admin = httpx2.Client(base_url=server, auth=("admin", "admin-of-the-test"))
    with admin:
        style = next(iter((Path(uploads.__file__).parent / "web" / "static").glob("*.css")))
        url = f"{server}/web/{style.name}"
        sent = admin.put(f"{SESSION}/resources/AWAY/files/x.css?reference={quote(url, safe='')}")
        assert sent.status_code == 200, sent.text
        answer = alice.get(f"{SESSION}/resources/AWAY/files/x.css")
        assert answer.content == style.read_bytes()
        part = alice.get(f"{SESSION}/resources/AWAY/files/x.css", headers={"Range": "bytes=3-9"})
        assert (part.status_code, part.content) == (206, style.read_bytes()[3:10])
        packed = alice.get(f"{SESSION}/resources/AWAY/files?format=zip")
        with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
            assert archive.read(archive.namelist()[0]) == style.read_bytes()
        gone = quote(f"{server}/web/none.css", safe="")
        admin.put(f"{SESSION}/resources/AWAY/files/gone.css?reference={gone}")
        assert alice.get(f"{SESSION}/resources/AWAY/files/gone.css").status_code == 502
        admin.delete(f"{SESSION}/resources/AWAY")


def test_a_cut_body_leaves_the_old_file(alice: httpx2.Client, server: str, site: Site) -> None:
    alice.put(f"{HOME}/cut.bin", content=b"old")
    head = f"PUT {HOME}/cut.bin?overwrite=true HTTP/1.1\r\nContent-Length: 9000000"
    raw(server, head + "\r\n", b"\r\n" + b"n" * 4_000_000, then_close=True)
    deadline = time.monotonic() + 10
    while list((site.files_folder / "incoming").iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list((site.files_folder / "incoming").iterdir())
    assert alice.get(f"{HOME}/cut.bin").content == b"old"
    alice.delete(f"{SESSION}/resources/HOSTILE")


def test_who_sends_nothing_is_not_waited_for(
    alice: httpx2.Client, server: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PATIENCE_S", 0.3)
    monkeypatch.setattr(uploads, "_DRAINED_S", 0.1)
    parts = urlsplit(server)
    token = base64.b64encode(":".join(AUTH).encode()).decode()
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as peer:
        head = f"PUT {HOME}/slow.bin HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {token}\r\n"
        peer.sendall(f"{head}Content-Length: 99\r\n\r\nbegun".encode())
        answer = peer.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408")
    assert not list((site.files_folder / "incoming").iterdir())
    assert alice.get(f"{HOME}/slow.bin").status_code == 404


def test_a_download_goes_on_while_its_file_is_replaced_and_deleted(alice: httpx2.Client, server: str) -> None:
    body = os.urandom(40_000_000)
    alice.put(f"{HOME}/big.bin", content=body)
    with alice.stream("GET", f"{HOME}/big.bin") as answer:
        pieces = answer.iter_raw(1 << 16)
        digest = hashlib.sha256(next(pieces))
        with httpx2.Client(base_url=server, auth=AUTH, timeout=30) as other:
            assert other.put(f"{HOME}/big.bin?overwrite=true", content=b"new").status_code == 200
            assert other.delete(f"{HOME}/big.bin").status_code == 200
        for piece in pieces:
            digest.update(piece)
    assert digest.hexdigest() == hashlib.sha256(body).hexdigest()
    alice.delete(f"{SESSION}/resources/HOSTILE")


def test_a_full_disk_is_said_and_survived(tmp_path: Path) -> None:
    """No file may grow beyond 20 MB, which is what a full disk looks like to a process."""
    folder = tmp_path / "site"
    with init_site(folder) as site:
        fill(site)
    with served(folder, 20_000_000) as server, server.client() as client:
        assert client.put(f"{HOME}/a.bin", content=b"old").status_code == 200
        answer = client.put(f"{HOME}/a.bin?overwrite=true", content=b"n" * 25_000_000)
        assert answer.status_code == 507, answer.text
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("first", b"f")
            archive.writestr("large", b"l" * 25_000_000)
        answer = client.put(f"{HOME}/up.zip?extract=true", content=packed.getvalue())
        assert answer.status_code == 507, answer.text
        assert client.get(f"{HOME}/a.bin").content == b"old"
        assert client.get(f"{HOME}/first").status_code == 404
        assert client.put(f"{HOME}/b.bin", content=b"after").status_code == 200
        assert not list((folder / "files" / "incoming").iterdir())
        assert len(list((folder / "files" / "objects").glob("*/*"))) == 2
        far = raw(server.url, f"PUT {HOME}/far.bin HTTP/1.1\r\nConnection: close", says_bytes=10**16)
        assert far.startswith(b"HTTP/1.1 507")


def test_memory_stays_flat(tmp_path: Path) -> None:
    """300 MB in, out, and out as a zip: the process hardly grows."""
    folder = tmp_path / "site"
    with init_site(folder) as site:
        fill(site)
    n_blocks, block = 300, os.urandom(1 << 20)
    with served(folder) as server, server.client() as client:
        client.put(f"{HOME}/small", content=b"x")
        before = server.peak_mb()
        sent = client.put(f"{HOME}/big.bin", content=(block for _ in range(n_blocks)))
        assert sent.status_code == 200
        for address in (f"{HOME}/big.bin", f"{HOME}?format=zip&compression=0"):
            with client.stream("GET", address) as answer:
                assert sum(len(piece) for piece in answer.iter_raw()) >= n_blocks << 20
        assert server.peak_mb() - before < 80


def test_an_early_sync_that_fails_fails_the_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system tells a failed write once; whoever hears it first must pass it on."""

    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(held, "_SYNCED_BYTES", 1000)
    monkeypatch.setattr(os, "fdatasync", broken)
    with held.HeldObjects(tmp_path).receiving() as arrivals:
        incoming = arrivals.receive()
        incoming.write(b"x" * 2000)
        with pytest.raises(OSError, match="the disk is broken"):
            incoming.finish()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / held.LOCK]


@pytest.mark.parametrize("sizes", [(1,), (600_000, 3, 300_000, 2_000_000), (0, 262_144, 262_143)])
def test_digests_beside_the_writing_are_those_of_the_bytes(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    body = [os.urandom(size) for size in sizes]
    with held.HeldObjects(tmp_path).receiving() as arrivals:
        incoming = arrivals.receive()
        for piece in body:
            incoming.write(piece)
        arrived = incoming.finish()
        arrivals.keep()
    whole = b"".join(body)
    assert (tmp_path / arrived.key).read_bytes() == whole
    assert arrived.md5 == hashlib.md5(whole).hexdigest()
    assert arrived.sha256 == hashlib.sha256(whole).hexdigest()


def test_who_sent_all_is_answered_at_once(alice: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for after the last byte: waiting would end with the patience of the client."""

    async def never(_receive: object) -> bool:
        raise AssertionError("the body was read already")

    monkeypatch.setattr(uploads, "drained", never)
    promised = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    answer = alice.put(f"{HOME}/wrong.bin", content=b"bytes", headers={"Content-MD5": promised})
    assert 400 <= answer.status_code < 500
