"""Every cell of the table of faults: the file is right, or the report says what is wrong."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from pathlib import Path

import pytest
from tests.faults.objects.conftest import LITTLE, store_on
from tests.faults.objects.server import Fault, FaultServer, held, repeat

from connectomedb.errors import (
    AccessDenied,
    CredentialsExpired,
    FolderInUse,
    ObjectChanged,
    Stalled,
    StoreBusy,
    TransferError,
    Truncated,
)
from connectomedb.objects.journal import FolderLock
from connectomedb.objects.plan import TransferPlan, make_plan
from connectomedb.objects.stores import ObjectStore, Patience
from connectomedb.objects.transfer import TransferReport, run_plan
from connectomedb.vocabulary.records import FileRow

SEGMENT = 1 << 16
SMALL = bytes(range(256)) * 100  # one answer
LARGE = os.urandom(SEGMENT * 5 + 1234)  # six segments
BOTH = pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def row(key: str, body: bytes, *, algorithm: str = "md5", digest: str | None = None) -> FileRow:
    value = md5(body) if digest is None else digest
    return FileRow("100307", key, len(body), algorithm if value else "", value)


def plan_of(folder: Path, *rows: FileRow) -> TransferPlan:
    return make_plan(rows, folder, location="s3://bucket")


def run(plan: TransferPlan, store: ObjectStore, parallel: int = 4) -> TransferReport:
    return run_plan(plan, store, parallel=parallel, segment_bytes=SEGMENT)


def nothing_left(folder: Path, key: str = "a/b") -> bool:
    return not (folder / key).exists()


@BOTH
@pytest.mark.parametrize("kind", ["cut", "reset", "whole", "chunked"])
def test_an_answer_that_breaks_is_gone_on_from(
    server: FaultServer, store: ObjectStore, tmp_path: Path, body: bytes, kind: str
) -> None:
    server.put("a/b", body, Fault(kind, at=1000))
    report = run(plan_of(tmp_path, row("a/b", body)), store)
    report.raise_for_failures()
    assert report.counts == {"verified": 1}
    assert (tmp_path / "a/b").read_bytes() == body


def test_nothing_that_came_over_the_wire_is_asked_for_again(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", SMALL, Fault("cut", at=10_000), Fault("reset", at=5_000))
    run(plan_of(tmp_path, row("a/b", SMALL)), store_on(server)).raise_for_failures()
    assert [a.range for a in server.asked] == ["", "bytes=10000-", "bytes=15000-"]
    assert {a.if_match for a in server.asked[1:]} == {f'"{md5(SMALL)}"'}
    assert server.sent_bytes() == len(SMALL)


@BOTH
def test_endless_cuts_end(server: FaultServer, store: ObjectStore, tmp_path: Path, body: bytes) -> None:
    server.put("a/b", body)
    server.always["a/b"] = Fault("cut", at=0)
    report = run(plan_of(tmp_path, row("a/b", body)), store)
    assert report.counts == {"failed": 1}
    assert nothing_left(tmp_path)


@BOTH
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "3600"}])
@pytest.mark.parametrize("status", [503, 500, 429])
def test_a_busy_store_is_asked_again(
    server: FaultServer, tmp_path: Path, body: bytes, status: int, headers: dict[str, str]
) -> None:
    busy = Fault("status", status=status, code="SlowDown", headers=headers)
    server.put("a/b", body, *repeat(busy, 3))
    report = run(plan_of(tmp_path, row("a/b", body)), store_on(server))
    report.raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == body


def test_a_date_says_when_to_come_back(server: FaultServer, tmp_path: Path) -> None:
    busy = Fault("status", status=503, headers={"Retry-After": "Wed, 25 Nov 2099 00:00:00 GMT"})
    server.put("a/b", SMALL, busy)
    run(plan_of(tmp_path, row("a/b", SMALL)), store_on(server)).raise_for_failures()


@BOTH
def test_a_store_that_is_always_busy_is_named(server: FaultServer, tmp_path: Path, body: bytes) -> None:
    server.put("a/b", body)
    server.always["a/b"] = Fault("status", status=503, code="SlowDown")
    report = run(plan_of(tmp_path, row("a/b", body)), store_on(server))
    with pytest.raises(StoreBusy, match="503"):
        report.raise_for_failures()
    assert len(server.asked) == 1 + LITTLE.retries


def test_a_store_that_answers_nobody_ends_the_run(server: FaultServer, tmp_path: Path) -> None:
    rows = [row(f"a/{i}", SMALL) for i in range(100)]
    for one in rows:
        server.always[one.key] = Fault("status", status=503)
    report = run(plan_of(tmp_path, *rows), store_on(server), parallel=2)
    assert report.counts == {"failed": 100}
    assert len({a.key for a in server.asked}) < 20


@BOTH
def test_a_body_shorter_than_the_plan_says(
    server: FaultServer, store: ObjectStore, tmp_path: Path, body: bytes
) -> None:
    server.put("a/b", body[:-10])
    report = run(plan_of(tmp_path, row("a/b", body)), store)
    assert report.counts == {"changed": 1}
    with pytest.raises(ObjectChanged, match=f"{len(body) - 10} bytes now, the plan says {len(body)}"):
        report.raise_for_failures()
    assert nothing_left(tmp_path)


def test_an_answer_shorter_than_its_object(server: FaultServer, tmp_path: Path) -> None:
    # An honest length of a part of the object: of a small one the size is wrong, of a range the end is early.
    server.put("a/b", SMALL, Fault("short", at=100))
    server.put("c/d", LARGE, Fault("short", at=100))
    small = run(plan_of(tmp_path, row("a/b", SMALL)), store_on(server))
    assert small.counts == {"changed": 1}
    large = run(plan_of(tmp_path, row("c/d", LARGE)), store_on(server))
    large.raise_for_failures()
    assert (tmp_path / "c/d").read_bytes() == LARGE


@BOTH
def test_a_flipped_byte_is_fetched_again(
    server: FaultServer, store: ObjectStore, tmp_path: Path, body: bytes
) -> None:
    server.put("a/b", body, Fault("flip", at=777))
    report = run(plan_of(tmp_path, row("a/b", body)), store)
    report.raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == body


@BOTH
def test_bytes_that_stay_wrong_are_mismatched(
    server: FaultServer, store: ObjectStore, tmp_path: Path, body: bytes
) -> None:
    server.put("a/b", body)
    server.always["a/b"] = Fault("flip", at=len(body) - 1)
    report = run(plan_of(tmp_path, row("a/b", body)), store)
    assert report.counts == {"mismatched": 1}
    assert nothing_left(tmp_path)
    assert not list((tmp_path / ".connectomedb/parts").iterdir())


@BOTH
def test_a_flipped_byte_in_a_multipart_object(server: FaultServer, tmp_path: Path, body: bytes) -> None:
    # One part of the usual size: the ETag is the digest of one digest.
    etag = f"{hashlib.md5(hashlib.md5(body).digest()).hexdigest()}-1"
    server.put("a/b", body, etag=etag)
    plan = plan_of(tmp_path, row("a/b", body, algorithm="s3-etag", digest=etag))
    assert run(plan, store_on(server)).outcomes[0].covered_by == f"s3-etag:{etag}"
    server.put("a/c", body, etag=etag)
    server.always["a/c"] = Fault("flip", at=5)
    wrong = run(plan_of(tmp_path, row("a/c", body, algorithm="s3-etag", digest=etag)), store_on(server))
    # The part size is a guess, so that the ETag cannot convict; it must not acquit either.
    assert wrong.counts == {"uncovered": 1}


@BOTH
@pytest.mark.parametrize("algorithm", ["crc64nvme", "crc32c", "crc32", "sha256"])
def test_what_only_the_store_promises_is_verified(
    server: FaultServer, tmp_path: Path, algorithm: str, body: bytes
) -> None:
    from connectomedb.objects.digests import new_digest

    digest = new_digest(algorithm)
    digest.update(body)
    value = base64.b64encode(bytes.fromhex(digest.hexdigest())).decode()
    headers = {f"x_amz_checksum_{algorithm}": value, "x_amz_checksum_type": "FULL_OBJECT"}
    server.put("a/b", body, Fault("none"), Fault("cut", at=300), etag="opaque", **headers)
    server.put("a/c", body, etag="opaque", **headers)
    server.always["a/c"] = Fault("flip", at=5)
    report = run(
        plan_of(tmp_path, row("a/b", body, digest=""), row("a/c", body, digest="")), store_on(server)
    )
    assert [o.status for o in report.outcomes] == ["verified", "mismatched"]
    assert report.outcomes[0].covered_by == f"{algorithm}:{digest.hexdigest()}"


def test_the_checksum_of_parts_covers_nothing(server: FaultServer, tmp_path: Path) -> None:
    value = base64.b64encode(zlib.crc32(b"x").to_bytes(4, "big")).decode()
    server.put(
        "a/b", SMALL, etag="opaque", x_amz_checksum_crc32=f"{value}-2", x_amz_checksum_type="COMPOSITE"
    )
    assert run(plan_of(tmp_path, row("a/b", SMALL, digest="")), store_on(server)).counts == {"uncovered": 1}


def test_the_etag_of_an_encrypted_object_is_no_digest(server: FaultServer, tmp_path: Path) -> None:
    etag = "0123456789abcdef" * 2
    server.put("a/b", SMALL, etag=etag, x_amz_server_side_encryption="aws:kms")
    report = run(plan_of(tmp_path, row("a/b", SMALL, digest=etag)), store_on(server))
    assert report.counts == {"uncovered": 1}


@BOTH
@pytest.mark.parametrize("kind", ["html", "xml"])
@pytest.mark.parametrize("covered", [True, False], ids=["covered", "uncovered"])
@pytest.mark.parametrize("padded", [True, False], ids=["same-size", "other-size"])
def test_an_error_page_under_status_200(
    server: FaultServer, tmp_path: Path, body: bytes, kind: str, covered: bool, padded: bool
) -> None:
    page = Fault("page", code=kind, at=len(body) if padded else 0)
    digest = md5(body) if covered else ""
    server.put("a/b", body, page, etag=None if covered else "opaque")
    once = run(plan_of(tmp_path, row("a/b", body, digest=digest)), store_on(server))
    once.raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == body
    server.put("a/c", body)
    server.always["a/c"] = page
    always = run(plan_of(tmp_path, row("a/c", body, digest=digest)), store_on(server))
    assert not always.ok
    assert nothing_left(tmp_path, "a/c")


def test_nonsense_is_named(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", SMALL)
    server.always["a/b"] = Fault("nonsense")
    with pytest.raises(TransferError, match="does not speak HTTP"):
        run(plan_of(tmp_path, row("a/b", SMALL)), store_on(server)).raise_for_failures()


@BOTH
def test_an_object_replaced_between_listing_and_reading(
    server: FaultServer, store: ObjectStore, tmp_path: Path, body: bytes
) -> None:
    other = body[::-1]
    server.put("a/b", other)
    by_md5 = run(plan_of(tmp_path, row("a/b", body)), store)
    assert by_md5.counts == {"mismatched": 1}
    server.put("a/c", other, etag="0" * 32 + "-7")
    etag = "1" * 32 + "-7"
    by_etag = run(plan_of(tmp_path, row("a/c", body, algorithm="s3-etag", digest=etag)), store)
    assert by_etag.counts == {"changed": 1}
    assert nothing_left(tmp_path)
    assert nothing_left(tmp_path, "a/c")


def test_an_object_replaced_between_two_ranges(
    server: FaultServer, store: ObjectStore, tmp_path: Path
) -> None:
    # The second version is whole: it came in one piece from the new object, never stitched.
    other = os.urandom(len(LARGE))
    swap = Fault("swap", held=held(other, etag="second"))
    ok = Fault("none")
    server.put("a/b", LARGE, ok, ok, swap, etag="first")
    report = run(plan_of(tmp_path, row("a/b", LARGE, digest="")), store, parallel=2)
    report.raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == other


def test_an_object_replaced_while_it_breaks(server: FaultServer, store: ObjectStore, tmp_path: Path) -> None:
    other = SMALL[::-1]
    swap = Fault("swap", held=held(other, etag="second"))
    server.put("a/b", SMALL, Fault("cut", at=9000), swap, etag="first")
    report = run(plan_of(tmp_path, row("a/b", SMALL, digest="")), store)
    report.raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == other


def test_a_range_from_elsewhere_is_not_taken(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", LARGE, Fault("elsewhere"))
    run(plan_of(tmp_path, row("a/b", LARGE)), store_on(server)).raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == LARGE


@BOTH
def test_ranges_under_status_200(server: FaultServer, tmp_path: Path, body: bytes) -> None:
    server.put("a/b", body, Fault("cut", at=1000), *repeat(Fault("range-200"), 20))
    run(plan_of(tmp_path, row("a/b", body)), store_on(server)).raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == body
    assert server.sent_bytes() == len(body)


def test_a_server_without_head(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", LARGE, Fault("status", status=405, code="MethodNotAllowed"))
    run(plan_of(tmp_path, row("a/b", LARGE)), store_on(server)).raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == LARGE


@BOTH
@pytest.mark.parametrize("kind", ["whole", "range-200"])
def test_a_store_that_never_answers_ranges_as_such(
    server: FaultServer, store: ObjectStore, tmp_path: Path, body: bytes, kind: str
) -> None:
    server.put("a/b", body)
    server.always["a/b"] = Fault(kind)
    run(plan_of(tmp_path, row("a/b", body)), store).raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == body


@BOTH
def test_a_store_without_etags_and_digests(server: FaultServer, tmp_path: Path, body: bytes) -> None:
    server.put("a/b", body, Fault("cut", at=500), etag="")
    report = run(plan_of(tmp_path, row("a/b", body, digest="")), store_on(server))
    assert report.counts == {"uncovered": 1}
    assert (tmp_path / "a/b").read_bytes() == body


@BOTH
@pytest.mark.parametrize("kind", ["stall", "drip"])
def test_a_stall_ends(server: FaultServer, tmp_path: Path, body: bytes, kind: str) -> None:
    patience = Patience(retries=1, timeout_s=0.3, first_wait_s=0.005, longest_wait_s=0.05)
    server.put("a/b", body, Fault(kind, at=100))
    run(plan_of(tmp_path, row("a/b", body)), store_on(server, patience=patience)).raise_for_failures()
    assert (tmp_path / "a/b").read_bytes() == body
    server.put("a/c", body)
    server.always["a/c"] = Fault(kind, at=0)
    report = run(plan_of(tmp_path, row("a/c", body)), store_on(server, patience=patience))
    with pytest.raises((Stalled, Truncated)):
        report.raise_for_failures()


def test_a_slow_server_is_waited_for(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", LARGE, *repeat(Fault("slow", seconds=0.05), 6))
    run(plan_of(tmp_path, row("a/b", LARGE)), store_on(server)).raise_for_failures()


def test_credentials_that_expire_end_the_run_and_are_named(server: FaultServer, tmp_path: Path) -> None:
    rows = [row(f"a/{i}", SMALL) for i in range(50)]
    for one in rows:
        server.put(one.key, SMALL)
    server.refuse_after = 10
    report = run(plan_of(tmp_path, *rows), store_on(server))
    assert report.counts["verified"] == 10
    assert report.counts["denied"] == 40
    with pytest.raises(CredentialsExpired, match="get new ones"):
        report.raise_for_failures()
    assert len(server.asked) < 30
    server.refuse_after = None
    again = run(plan_of(tmp_path, *rows), store_on(server))
    assert again.counts == {"kept": 10, "verified": 40}


def test_access_denied_on_one_key_leaves_the_others(
    server: FaultServer, store: ObjectStore, tmp_path: Path
) -> None:
    rows = [row(f"a/{i}", SMALL) for i in range(3)]
    for one in rows:
        server.put(one.key, SMALL)
    server.always["a/1"] = Fault("status", status=403, code="AccessDenied")
    report = run(plan_of(tmp_path, *rows), store)
    assert [o.status for o in report.outcomes] == ["verified", "denied", "verified"]
    with pytest.raises(AccessDenied, match="a/1"):
        report.raise_for_failures()


def test_empty_objects_and_folder_markers(server: FaultServer, store: ObjectStore, tmp_path: Path) -> None:
    server.put("a/empty", b"")
    server.put("a/folder/", b"")
    report = run(plan_of(tmp_path, row("a/empty", b""), FileRow("100307", "a/folder/", 0)), store)
    assert report.counts == {"verified": 2}
    assert (tmp_path / "a/empty").read_bytes() == b""
    assert (tmp_path / "a/folder").is_dir()


def test_a_key_that_is_file_and_folder(server: FaultServer, tmp_path: Path) -> None:
    for key in ("a", "a/b"):
        server.put(key, SMALL)
    report = run(plan_of(tmp_path, row("a", SMALL), row("a/b", SMALL)), store_on(server))
    assert [o.status for o in report.outcomes] == ["refused", "verified"]
    assert "as in a folder" in str(report.outcomes[0].error)


@pytest.mark.parametrize(
    "key",
    [
        "../up",
        "a/../../up",
        "a/..",
        "/etc/passwd",
        "a\0b",
        "a//b",
        "./a",
        "x" * 1024,
        "a/" + "y" * 300,
        ".connectomedb/lock",
        "a\\b",
    ],
)
def test_a_key_that_cannot_be_a_file_is_refused_and_the_others_come(
    server: FaultServer, tmp_path: Path, key: str
) -> None:
    folder = tmp_path / "in"
    server.put(key, SMALL)
    server.put("fine", SMALL)
    plan = plan_of(folder, row(key, SMALL), row("fine", SMALL))
    report = run(plan, store_on(server))
    assert [o.status for o in report.outcomes] == ["refused", "verified"]
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    assert sorted(p.name for p in folder.iterdir()) == [".connectomedb", "fine"]


def test_a_saved_plan_with_a_target_outside_is_refused(server: FaultServer, tmp_path: Path) -> None:
    server.put("a", SMALL)
    text = plan_of(tmp_path / "in", row("a", SMALL)).to_json().replace('"target": "a"', '"target": "../a"')
    report = run(TransferPlan.from_json(text), store_on(server))
    assert report.counts == {"refused": 1}
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    "key",
    ["/".join(["d" * 100] * 10) + "/f" * 6, "not-utf8-\udcff\udcfe", "sp ace+%2F?#&=", "ü/日本"],
    ids=["1024-bytes", "not-utf8", "signs", "letters"],
)
def test_odd_keys_come(server: FaultServer, tmp_path: Path, key: str) -> None:
    server.put(key, SMALL)
    run(plan_of(tmp_path, row(key, SMALL)), store_on(server)).raise_for_failures()
    assert (tmp_path / key).read_bytes() == SMALL
    assert plan_of(tmp_path, row(key, SMALL)).files[0].action == "keep"


TWINS = ["case/File", "case/file", "form/\u00e4", "form/a\u0308"]


def test_twins_both_come_where_the_file_system_tells_them_apart(server: FaultServer, tmp_path: Path) -> None:
    bodies = {key: f"{i}".encode() for i, key in enumerate(TWINS)}
    for key, body in bodies.items():
        server.put(key, body)
    run(plan_of(tmp_path, *(row(k, b) for k, b in bodies.items())), store_on(server)).raise_for_failures()
    assert {key: (tmp_path / key).read_bytes() for key in TWINS} == bodies


def test_twins_are_refused_where_it_does_not(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectomedb.objects.transfer.merges_names", lambda _: True)
    for key in TWINS:
        server.put(key, key.encode())
    report = run(plan_of(tmp_path, *(row(k, k.encode()) for k in TWINS)), store_on(server))
    assert [o.status for o in report.outcomes] == ["verified", "refused", "verified", "refused"]


@pytest.mark.parametrize("where", ["folder", "file", "state", "parts"])
def test_a_planted_link_is_not_followed(server: FaultServer, tmp_path: Path, where: str) -> None:
    server.put("a/b", SMALL)
    folder, outside = tmp_path / "in", tmp_path / "outside"
    outside.mkdir()
    (outside / "b").write_text("precious")
    plan = plan_of(folder, row("a/b", SMALL))
    folder.mkdir()
    if where == "folder":
        (folder / "a").symlink_to(outside)
        report = run(plan, store_on(server))
        assert report.counts == {"refused": 1}
        assert make_plan([row("a/b", SMALL)], folder, location="x").files[0].action == "refuse"
    elif where == "file":
        (folder / "a").mkdir()
        (folder / "a/b").symlink_to(outside / "b")
        run(plan, store_on(server)).raise_for_failures()
        assert not (folder / "a/b").is_symlink()
        assert (folder / "a/b").read_bytes() == SMALL
    else:
        if where == "parts":
            (folder / ".connectomedb").mkdir()
        (folder / (".connectomedb" if where == "state" else ".connectomedb/parts")).symlink_to(outside)
        with pytest.raises(TransferError, match="is a link"):
            run(plan, store_on(server))
    assert (outside / "b").read_text() == "precious"
    assert [p.name for p in outside.iterdir()] == ["b"]


def test_a_folder_in_the_way_of_a_file_is_named(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", SMALL)
    (tmp_path / "a/b/c").mkdir(parents=True)
    report = run(plan_of(tmp_path, row("a/b", SMALL)), store_on(server))
    assert report.counts == {"refused": 1}
    assert "in the way" in str(report.outcomes[0].error)


def test_two_runs_into_one_folder_at_once(server: FaultServer, tmp_path: Path) -> None:
    server.put("a/b", SMALL)
    with FolderLock(tmp_path), pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
        run(plan_of(tmp_path, row("a/b", SMALL)), store_on(server))
    assert not server.asked
    run(plan_of(tmp_path, row("a/b", SMALL)), store_on(server)).raise_for_failures()


def test_memory_is_bounded_by_the_buffers(server: FaultServer, tmp_path: Path) -> None:
    import tracemalloc

    body = os.urandom(1 << 24)
    server.put("a/b", body)
    plan = plan_of(tmp_path, row("a/b", body))
    tracemalloc.start()
    run_plan(plan, store_on(server), parallel=4, segment_bytes=1 << 22).raise_for_failures()
    # The server's slices of the body are in the same process: four segments at a time.
    assert tracemalloc.get_traced_memory()[1] < 40 << 20
    tracemalloc.stop()
