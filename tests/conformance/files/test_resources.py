"""Resources and files over HTTP, on both databases. Source: protocol/rest.md 5."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import itertools
import tarfile
import xml.etree.ElementTree as ElementTree
import zipfile
from urllib.parse import quote

import httpx2
import pytest
from tests.conformance.files.conftest import PLACES, SESSION, Running

NUMBERS = itertools.count()
CAT = "{http://nrg.wustl.edu/catalog}"


def rows(client: httpx2.Client, address: str, **params: str) -> list[dict[str, str]]:
    answer = client.get(address, params={"format": "csv", **params})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


@pytest.fixture
def label(alice: httpx2.Client) -> str:
    """A resource label that nobody has used."""
    return f"R_{next(NUMBERS)}"


@pytest.mark.parametrize("place", PLACES)
def test_a_resource_lives_at_every_level(alice: httpx2.Client, place: str, label: str) -> None:
    created = alice.put(
        f"{place}/resources/{label}", params={"format": "CSV", "content": "c", "tags": "a,k=v"}
    )
    assert (created.status_code, created.text) == (200, "")
    assert alice.put(f"{place}/resources/{label}").status_code == 409
    (row,) = (one for one in rows(alice, f"{place}/resources", columns="ID,URI") if one["label"] == label)
    assert "ID" not in row
    assert "URI" not in row
    assert (row["file_count"], row["file_size"], row["tags"], row["format"]) == ("0", "0", "a,k=v", "CSV")
    number = row["xnat_abstractresource_id"]
    for name, body in (("a.txt", b"first"), ("deep/er/b.txt", b"second one")):
        sent = alice.put(f"{place}/resources/{number}/files/{name}", params={"inbody": "true"}, content=body)
        assert (sent.status_code, sent.text) == (200, "")
    (row,) = (one for one in rows(alice, f"{place}/resources") if one["label"] == label)
    assert (row["file_count"], row["file_size"]) == ("2", "15")
    files = rows(alice, f"{place}/resources/{label}/files")
    assert [one["Name"] for one in files] == ["a.txt", "b.txt"]
    assert files[1]["URI"].endswith(f"/resources/{number}/files/deep/er/b.txt")
    assert files[1]["digest"] == hashlib.md5(b"second one").hexdigest()
    assert {one["cat_ID"] for one in files} == {number}
    for one, body in zip(files, (b"first", b"second one"), strict=True):
        assert alice.get(one["URI"]).content == body
    assert alice.get(f"{place}/files/a.txt").status_code == 200
    assert alice.delete(f"{place}/resources/{label}/files/deep").status_code == 200
    assert [one["Name"] for one in rows(alice, f"{place}/resources/{label}/files")] == ["a.txt"]
    assert alice.delete(f"{place}/resources/{number}", params={"removeFiles": "true"}).status_code == 200
    assert alice.get(f"{place}/resources/{label}").status_code == 404
    assert alice.get(files[0]["URI"]).status_code == 404


def test_the_catalog_is_xml_both_ways(running: Running, alice: httpx2.Client, label: str) -> None:
    home = f"{SESSION}/resources/{label}"
    alice.put(f"{home}/files/neo <1>.csv", params={"content": 'sc"o&res', "tags": "x,k=v"}, content=b"1,2")
    answer = alice.get(home, params={"format": "json"})
    start = '<?xml version="1.0" encoding="UTF-8"?>\n<cat:Catalog'
    assert answer.text.startswith(start)
    (entry,) = ElementTree.fromstring(answer.content).iter(f"{CAT}entry")
    assert entry.attrib["URI"] == "neo <1>.csv"
    assert entry.attrib["content"] == 'sc"o&res'
    assert entry.attrib["createdBy"] == "alice"
    assert [field.text for field in entry.iter(f"{CAT}metaField")] == ["3"]
    assert [tag.text for tag in entry.iter(f"{CAT}tag")] == ["x", "v"]
    changed = answer.text.replace("sc&quot;o&amp;res", "other")
    assert alice.put(home, content=changed.encode()).status_code == 200
    assert rows(alice, f"{home}/files")[0]["file_content"] == "other"
    lies = changed.replace(str(entry.attrib["digest"]), "0" * 32)
    assert alice.put(home, content=lies.encode()).status_code == 422
    unknown = changed.replace("neo &lt;1&gt;.csv", "unknown.csv")
    assert alice.put(home, content=unknown.encode()).status_code == 422
    assert alice.put(home, content=b"<other/>").status_code == 422
    entities = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    assert alice.put(home, content=entities).status_code == 422


def test_duplicates_stay_unless_they_are_to_be_replaced(alice: httpx2.Client, label: str) -> None:
    address = f"{SESSION}/resources/{label}/files/a.txt"
    assert alice.put(address, content=b"old").text == ""
    again = alice.put(address, params={"overwrite": "false"}, content=b"new")
    assert (again.status_code, again.json()) == (200, {"duplicates": ["a.txt"]})
    assert alice.get(address).content == b"old"
    assert alice.put(address, params={"overwrite": "true"}, content=b"new").text == ""
    assert alice.get(address).content == b"new"
    clash = alice.put(f"{address}/below.txt", content=b"x")
    assert clash.status_code == 409
    assert "both a file and a folder" in clash.text
    assert alice.put(f"{SESSION}/resources/{label}/files/sub/x", content=b"x").status_code == 200
    assert alice.put(f"{SESSION}/resources/{label}/files/sub", content=b"x").status_code == 409


def test_every_kind_of_body(alice: httpx2.Client, label: str) -> None:
    home = f"{SESSION}/resources/{label}/files"
    several = [("f", ("a é.txt", b"aa")), ("f", ("b.txt", b"")), ("note", (None, b"no file"))]
    assert alice.post(home, files=several).status_code == 200
    assert alice.put(f"{home}/named.txt", files={"x": ("other.txt", b"cc")}).status_code == 200
    chunked = (piece for piece in (b"x" * 70_000, b"y" * 70_000))
    assert alice.post(f"{home}/chunked.bin", params={"inbody": "true"}, content=chunked).status_code == 200
    odd = {"Content-Type": "application/x-anything"}
    assert alice.put(f"{home}/odd.bin", content=b"odd", headers=odd).status_code == 200
    assert alice.put(f"{home}/empty", params={"inbody": "true"}, content=b"").status_code == 200
    assert alice.put(f"{home}/nothing").status_code == 400
    assert alice.post(home).status_code == 400
    both = alice.post(home, params={"inbody": "true"}, files={"x": ("x.txt", b"x")})
    assert both.status_code == 406
    cut = {"Content-Type": "multipart/form-data; boundary=b"}
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="cut.txt"\r\n\r\nhalf'
    assert alice.post(home, content=head, headers=cut).status_code == 400
    assert alice.post(home, content=b"x", headers={"Content-Type": "multipart/form-data"}).status_code == 400
    found = {one["Name"]: one["Size"] for one in rows(alice, home)}
    assert found == {
        "a é.txt": "2",
        "b.txt": "0",
        "named.txt": "2",
        "chunked.bin": "140000",
        "odd.bin": "3",
        "empty": "0",
    }


def test_promised_digests_are_held_against_the_bytes(alice: httpx2.Client, label: str) -> None:
    address = f"{SESSION}/resources/{label}/files/a.txt"
    wrong = alice.put(address, content=b"abc", headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="})
    assert wrong.status_code == 400
    assert alice.get(address).status_code == 404
    right = {"Content-MD5": "kAFQmDzST7DWlj99KOF/cg=="}
    assert alice.put(address, content=b"abc", headers=right).status_code == 200
    assert alice.put(address, content=b"abc", headers={"Content-MD5": "no"}).status_code == 400
    bad = {"Content-Digest": "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"}
    assert alice.put(address, params={"overwrite": "true"}, content=b"x", headers=bad).status_code == 400
    assert alice.get(address).content == b"abc"


def test_lost_updates_are_refused(alice: httpx2.Client, label: str) -> None:
    address, over = f"{SESSION}/resources/{label}/files/a.txt", {"overwrite": "true"}
    assert alice.put(address, content=b"one", headers={"If-None-Match": "*"}).status_code == 200
    assert alice.put(address, params=over, content=b"x", headers={"If-None-Match": "*"}).status_code == 412
    tag = alice.get(address).headers["etag"]
    assert alice.put(address, params=over, content=b"two", headers={"If-Match": tag}).status_code == 200
    assert alice.put(address, params=over, content=b"three", headers={"If-Match": tag}).status_code == 412
    assert alice.delete(address, headers={"If-Match": tag}).status_code == 412
    assert alice.get(address).content == b"two"
    assert alice.delete(address, headers={"If-Match": "*"}).status_code == 200


def test_ranges_and_conditions(alice: httpx2.Client, label: str) -> None:
    address, body = f"{SESSION}/resources/{label}/files/a.bin", bytes(range(256)) * 20_000
    alice.put(address, content=body)
    whole = alice.get(address)
    assert whole.content == body
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["etag"] == f'"{hashlib.md5(body).hexdigest()}"'
    head = alice.head(address)
    assert (head.headers["content-length"], head.content) == (str(len(body)), b"")
    assert "last-modified" in head.headers

    def part(said: str, **more: str) -> httpx2.Response:
        return alice.get(
            address, headers={"Range": said, **{k.replace("_", "-"): v for k, v in more.items()}}
        )

    for said, wanted in (
        ("bytes=0-0", body[:1]),
        ("bytes=10-19", body[10:20]),
        ("bytes=5119990-", body[5119990:]),
        ("bytes=-7", body[-7:]),
        ("bytes=-99999999", body),
        ("bytes=1048570-1048590", body[1048570:1048591]),
        ("bytes=5-99999999", body[5:]),
        ("bytes=10-19,15-30", body[10:31]),
    ):
        answer = part(said)
        assert (answer.status_code, answer.content) == (206, wanted), said
        assert answer.headers["content-range"].endswith(f"/{len(body)}")
    beyond = part(f"bytes={len(body)}-")
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(body)}")
    for said in ("bytes=x-y", "lines=1-2", "bytes=9-3", "bytes=" + ",".join("0-0" for _ in range(99))):
        assert part(said).status_code == 200, said
    several = part("bytes=0-1,100-102")
    assert several.status_code == 206
    boundary = several.headers["content-type"].partition("boundary=")[2].encode()
    pieces = several.content.split(b"--" + boundary)
    assert [piece.partition(b"\r\n\r\n")[2].rstrip(b"\r\n-") for piece in pieces[1:3]] == [body[:2], b"def"]
    assert int(several.headers["content-length"]) == len(several.content)
    tag, moment = whole.headers["etag"], whole.headers["last-modified"]
    assert alice.get(address, headers={"If-None-Match": f'"x", {tag}'}).status_code == 304
    assert (
        alice.get(address, headers={"If-None-Match": '"x"', "If-Modified-Since": moment}).status_code == 200
    )
    assert alice.get(address, headers={"If-Modified-Since": moment}).status_code == 304
    assert alice.get(address, headers={"If-Modified-Since": "no date"}).status_code == 200
    assert alice.get(address, headers={"If-Match": '"x"'}).status_code == 412
    assert part("bytes=0-1", If_Range=tag).status_code == 206
    assert part("bytes=0-1", If_Range='"x"').status_code == 200
    assert part("bytes=0-1", If_Range=moment).status_code == 206


def archive_of(kind: str, members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
            for name, body in members.items():
                made.writestr(name, body)
    else:
        with tarfile.open(fileobj=target, mode="w:gz" if kind == "tgz" else "w") as packed:
            for name, body in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(body)
                packed.addfile(info, io.BytesIO(body))
    return target.getvalue()


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_archives_are_unpacked_whole_or_not_at_all(alice: httpx2.Client, label: str, kind: str) -> None:
    home = f"{SESSION}/resources/{label}/files"
    members = {"/mr_1/1.dcm": b"1" * 1000, "./mr_1/2.dcm": b"2", "top é.txt": b"t", "empty": b""}
    sent = alice.put(f"{home}/up.{kind}", params={"extract": "true"}, content=archive_of(kind, members))
    assert (sent.status_code, sent.text) == (200, "")
    found = [one["URI"].partition("/files/")[2] for one in rows(alice, home)]
    assert found == ["empty", "mr_1/1.dcm", "mr_1/2.dcm", "top é.txt"]
    again = archive_of(kind, {"mr_1/2.dcm": b"other", "new.txt": b"n"})
    assert alice.put(f"{home}/up.{kind}", params={"extract": "true"}, content=again).json() == {
        "duplicates": ["mr_1/2.dcm"]
    }
    assert alice.get(f"{home}/mr_1/2.dcm").content == b"2"
    assert alice.get(f"{home}/new.txt").content == b"n"
    bad = archive_of(kind, {"fine.txt": b"f", "../../evil.txt": b"e"})
    assert alice.put(f"{home}/up.{kind}", params={"extract": "true"}, content=bad).status_code == 400
    assert alice.get(f"{home}/fine.txt").status_code == 404


def test_bundles(alice: httpx2.Client, label: str) -> None:
    for scan, name in (("3", "t1.nii"), ("4", "r.nii"), ("5", "s.nii")):
        body = name.encode() * 50_000
        alice.put(f"{SESSION}/scans/{scan}/resources/{label}/files/sub/{name}", content=body)
    everything = {
        "S1_MR/scans/3-T1w": "t1.nii",
        "S1_MR/scans/4-rest_run_1": "r.nii",
        "S1_MR/scans/5-rest_run_1": "s.nii",
    }

    def names(scans: str, kind: str = "zip", **params: str) -> list[str]:
        address = f"{SESSION}/scans/{quote(scans, safe='*,[]')}/resources/{label}/files"
        answer = alice.get(address, params={"format": kind, **params})
        assert answer.status_code == 200, answer.text
        if kind == "zip":
            archive = zipfile.ZipFile(io.BytesIO(answer.content))
            assert archive.testzip() is None
            return archive.namelist()
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as packed:
            for member in packed:
                content = packed.extractfile(member)
                assert content is not None
                assert content.read() == member.name.rpartition("/")[2].encode() * 50_000
            return packed.getnames()

    default = [f"{at}/resources/{label}/files/sub/{name}" for at, name in everything.items()]
    for said in ("ALL", "*", "3,4,5", "T1w,rest run[SLASH]1"):
        assert names(said) == default, said
    assert names("rest run[SLASH]1") == default[1:]
    for kind in ("tar", "tar.gz"):
        assert names("ALL", kind, compression="9") == default
    assert names("ALL", structure="improved")[1] == f"S1_MR/scans/4_rest_run_1/{label}/sub/r.nii"
    assert names("ALL", structure="simplified")[0] == f"S1_MR/scans/3-T1w/{label}/sub/t1.nii"
    assert names("ALL", structure="legacy")[0] == f"S1_MR/SCANS/3/{label}/sub/t1.nii"
    before = names("3", projectIncludedInPath="true", subjectIncludedInPath="true")
    assert before == [f"P/S1/{default[0]}"]
    answer = alice.get(f"{SESSION}/scans/3/resources/{label}/files/sub/", params={"format": "zip"})
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == default[:1]
    assert alice.get(f"{SESSION}/scans/NONE/files", params={"format": "zip"}).status_code == 404
    assert (
        alice.get(f"{SESSION}/scans/3/files", params={"format": "zip", "structure": "x"}).status_code == 400
    )
    assert (
        alice.get(f"{SESSION}/scans/3/files", params={"format": "zip", "compression": "x"}).status_code == 400
    )
    whole = alice.get("/data/projects/P/files", params={"format": "zip", "all": "true"})
    found = zipfile.ZipFile(io.BytesIO(whole.content)).namelist()
    assert f"P/experiments/S1_MR/scans/3-T1w/resources/{label}/files/sub/t1.nii" in found


def test_the_way_to_files_in_other_words(alice: httpx2.Client, label: str) -> None:
    home = f"{SESSION}/resources/{label}"
    packed = archive_of("zip", {"in/side.txt": b"inside"})
    alice.put(f"{home}/files/x/archive.zip", params={"content": "ZIP", "format": "Z"}, content=packed)
    alice.put(f"{home}/files/y.txt", params={"content": "TXT"}, content=b"y")
    assert alice.get(f"{home}/files/x/archive.zip!/in/side.txt").content == b"inside"
    ranged = alice.get(f"{home}/files/x/archive.zip!/in/side.txt", headers={"Range": "bytes=2-3"})
    assert ranged.content == b"si"
    assert alice.get(f"{home}/files/x/archive.zip!/no").status_code == 404
    assert [one["Name"] for one in rows(alice, f"{home}/files", file_content="TXT")] == ["y.txt"]
    assert [one["Name"] for one in rows(alice, f"{home}/files", file_format="NULL")] == ["y.txt"]
    assert alice.get(f"{home}/files", params={"index": "1"}).content == b"y"
    assert alice.get(f"{home}/files", params={"index": "2"}).status_code == 404
    assert [one["Name"] for one in rows(alice, f"{home}/files", recursive="false")] == ["y.txt"]
    assert [one["Name"] for one in rows(alice, f"{home}/files/x/")] == ["archive.zip"]
    absent = alice.get(f"{home}/files/no.txt", params={"accept-not-found": "true"})
    assert (absent.status_code, absent.content) == (204, b"")
    for root in ("/REST", "/data/archive", "/REST/archive"):
        address = f"{root}{home.removeprefix('/data')}/files/y.txt"
        assert alice.get(address).content == b"y", address
    number = rows(alice, f"{home}/files")[0]["cat_ID"]
    listed = rows(alice, f"{SESSION}/files", all="true")
    assert {one["collection"] for one in listed if one["cat_ID"] == number} == {label}


def test_nfc_and_nfd_are_one_name_and_capitals_are_two(alice: httpx2.Client, label: str) -> None:
    home = f"{SESSION}/resources/{label}/files"
    composed, apart = "caf\u00e9.txt", "cafe\u0301.txt"
    assert alice.put(f"{home}/{apart}", content=b"one").status_code == 200
    assert alice.get(f"{home}/{composed}").content == b"one"
    assert alice.put(f"{home}/{composed}", content=b"two").json() == {"duplicates": [composed]}
    for name in ("Readme.TXT", "readme.txt"):
        assert alice.put(f"{home}/{name}", content=name.encode()).text == ""
    assert alice.get(f"{home}/Readme.TXT").content == b"Readme.TXT"
    assert alice.get(f"{home}/readme.txt").content == b"readme.txt"


def test_files_are_never_compressed_on_the_way_and_lists_are(alice: httpx2.Client, label: str) -> None:
    home = f"{SESSION}/resources/{label}/files"
    alice.put(f"{home}/big.txt", content=b"a" * 100_000)
    answer = alice.get(f"{home}/big.txt", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-length"] == "100000"
    packed = alice.put(f"{home}/x", content=gzip.compress(b"x"), headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 400


def test_who_may_what(running: Running, alice: httpx2.Client, label: str) -> None:
    home = f"{SESSION}/resources/{label}"
    file = f"{home}/files/a.txt"
    assert running.caller("mary").put(file, content=b"of mary").status_code == 200
    bob, carol, nobody = (running.caller(login) for login in ("bob", "carol", ""))
    for client, seen, changed in ((bob, 200, 403), (carol, 404, 404), (nobody, 401, 401)):
        for address in (file, home, f"{home}/files", f"{SESSION}/resources", f"{SESSION}/files?format=zip"):
            assert client.get(address).status_code == seen, address
        assert client.put(f"{home}/files/b.txt", content=b"x").status_code == changed
        assert client.put(f"{file}?overwrite=true", content=b"x").status_code == changed
        assert client.put(f"{SESSION}/resources/OF_OTHERS").status_code == changed
        assert client.delete(file).status_code == changed
        assert client.delete(home).status_code == changed
        big = client.put(f"{home}/files/big.bin", content=(b"x" * 65536 for _ in range(200)))
        assert big.status_code == changed
        refreshed = f"/data/services/refresh/catalog?resource={SESSION}&options=checksum"
        assert client.post(refreshed).status_code == changed
    mary = running.caller("mary")
    assert mary.delete(file).status_code == 403
    assert mary.delete(home).status_code == 403
    assert alice.get(file).content == b"of mary"
    for protected in ("/data/projects/SEEN/resources", "/data/projects/SEEN/files"):
        assert alice.get(protected).status_code == 404
    assert alice.put("/data/projects/SEEN/resources/X/files/a", content=b"x").status_code == 403


def test_a_shared_session_shows_its_files_and_stays_the_owners(running: Running, label: str) -> None:
    archive, carol = running.site.archive, running.caller("carol")
    admin = archive.find_user("admin")
    running.caller("alice").put(f"{SESSION}/resources/{label}/files/a.txt", content=b"shared")
    session = archive.locate_experiment("S1_MR", admin, project="P").id
    archive.share(session, "OTHER", "THEIRS", admin)
    try:
        (row,) = rows(carol, f"/data/projects/OTHER/experiments/THEIRS/resources/{label}/files")
        assert carol.get(row["URI"]).content == b"shared"
        assert carol.put(row["URI"], content=b"x").status_code == 403
        assert carol.delete(row["URI"]).status_code == 403
    finally:
        archive.unshare(session, "OTHER", admin)
    assert carol.get(row["URI"]).status_code == 404


def test_catalogs_are_looked_at_again(running: Running, alice: httpx2.Client, label: str) -> None:
    home = f"{SESSION}/resources/{label}"
    for name in ("a.txt", "b.txt"):
        alice.put(f"{home}/files/{name}", content=name.encode())
    (gone,) = (one for one in running.site.archive.held_keys() if one[1].endswith(f"{label}/b.txt"))
    (running.site.files_folder / gone[0]).unlink()
    assert alice.get(f"{home}/files/b.txt").status_code == 502
    address, resource = "/data/services/refresh/catalog", home.replace("/data", "/archive")
    done = alice.post(address, params={"resource": resource, "options": "append,checksum,delete"})
    assert done.status_code == 200
    assert [one["Name"] for one in rows(alice, f"{home}/files")] == ["a.txt"]
    assert alice.post(address, params={"resource": resource, "options": "nonsense"}).status_code == 400
    assert alice.post(address, params={"resource": "/archive/experiments/NONE"}).status_code == 404
    assert alice.post(address).status_code == 400


def test_counts_stay_right(running: Running, alice: httpx2.Client, label: str) -> None:
    """The document of a resource says what the table of files says."""
    home = f"{SESSION}/resources/{label}"
    for n in range(3):
        alice.put(f"{home}/files/{n}.txt", content=b"x" * n)
    alice.put(f"{home}/files/2.txt", params={"overwrite": "true"}, content=b"x" * 10)
    alice.delete(f"{home}/files/0.txt")
    archive = running.site.archive
    admin = archive.find_user("admin")
    item = archive.load_item(archive.locate_experiment("S1_MR", admin, project="P").id, admin)
    (resource,) = (r for r in item.children["resources/resource"] if r.text("label") == label)
    assert (resource.values["file_count"], resource.values["file_size"]) == (2, 11)
    assert archive.examine() == ()


@pytest.mark.parametrize("place", ["subject", "session", "scan", "project"])
def test_what_is_deleted_takes_its_bytes_along(running: Running, place: str) -> None:
    """Not before the commit: who may not delete leaves them as they are."""
    admin, outsider = running.caller("admin"), running.caller("mary")
    project = f"D{place}"
    running.site.archive.add_project(project, insert_user="admin")
    session = f"/data/projects/{project}/subjects/D/experiments/D_MR"
    addresses = {
        "project": f"/data/projects/{project}",
        "subject": f"/data/projects/{project}/subjects/D",
        "session": session,
        "scan": f"{session}/scans/1",
    }
    admin.put(addresses["subject"])
    admin.put(f"{session}?xsiType=xnat:mrSessionData")
    admin.put(f"{session}/scans/1?xsiType=xnat:mrScanData")
    keys = {}
    for name, address in addresses.items():
        before = set(running.site.archive.held_keys())
        sent = admin.put(f"{address}/resources/R/files/a.bin", content=name.encode())
        assert sent.status_code == 200, sent.text
        ((key, _),) = set(running.site.archive.held_keys()) - before
        keys[name] = running.site.files_folder / key
    assert outsider.delete(addresses[place]).status_code in (403, 404)
    assert all(path.exists() for path in keys.values())
    assert admin.delete(addresses[place]).status_code == 200
    below = list(addresses)[list(addresses).index(place) :]
    assert {name for name, path in keys.items() if not path.exists()} == set(below)
