"""Listings that others made: tables, S3 Inventories, git-annex; and one that broke off and goes on."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from connectomedb.errors import ManifestError, TransferError
from connectomedb.objects.layouts.hcp import HCP_Q1
from connectomedb.objects.listings import Listed, read_annex, read_inventory, read_table
from connectomedb.objects.scan import describe, list_into, scan_store
from connectomedb.objects.stores import ObjectStore, open_store

MD5 = "0123456789abcdef0123456789abcdef"


def test_a_table_packed_or_not(tmp_path: Path) -> None:
    text = f"key\tsize\talgorithm\tdigest\na/b\t3\tmd5\t{MD5.upper()}\nc\t0\t\t\n"
    (tmp_path / "x.tsv").write_text(text, "utf-8")
    (tmp_path / "x.tsv.gz").write_bytes(gzip.compress(text.encode()))
    wanted = [Listed("a/b", 3, "md5", MD5), Listed("c", 0)]
    assert list(read_table(tmp_path / "x.tsv")) == list(read_table(tmp_path / "x.tsv.gz")) == wanted


@pytest.mark.parametrize(
    ("text", "reason"),
    [("key\tsize\n", "algorithm, digest"), ("key\tsize\talgorithm\tdigest\na\tbig\t\t\n", "line 2.*'big'")],
)
def test_a_table_that_is_none(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "x.tsv").write_text(text, "utf-8")
    with pytest.raises(ManifestError, match=reason):
        list(read_table(tmp_path / "x.tsv"))


def _inventory(folder: Path, rows: str, **changes: object) -> ObjectStore:
    (folder / "data").mkdir(exist_ok=True)
    data = gzip.compress(rows.encode())
    (folder / "data" / "1.csv.gz").write_bytes(data)
    part = {"key": "reports/mirror/data/1.csv.gz", "MD5checksum": hashlib.md5(data).hexdigest()}
    manifest = {
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, IsLatest, IsDeleteMarker, ETag",
        "files": [part],
    } | changes
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return open_store(folder)


def test_an_inventory(tmp_path: Path) -> None:
    rows = (
        f'"b","hcp/q1/100307/T1w/a%20b.nii.gz","12","true","false","{MD5}"\n'
        f'"b","hcp/q1/100307/T1w/big.nii.gz","9","true","false","{MD5}-3"\n'
        f'"b","hcp/q1/100307/T1w/old.nii.gz","9","false","false","{MD5}"\n'
        f'"b","hcp/q1/100307/T1w/gone.nii.gz","","true","true",""\n'
        f'"b","other/100307/x","9","true","false","{MD5}"\n'
    )
    found = list(read_inventory(_inventory(tmp_path, rows), prefix="hcp/"))
    assert found == [
        Listed("q1/100307/T1w/a b.nii.gz", 12, "md5", MD5),
        Listed("q1/100307/T1w/big.nii.gz", 9),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fileFormat": "ORC"}, "as CSV"),
        ({"fileSchema": "Bucket, Key"}, "needs Key and Size"),
        ({"files": [{"key": "data/2.csv.gz", "MD5checksum": ""}]}, "2.csv.gz, which is not in"),
        ({"files": [{"key": "data/1.csv.gz", "MD5checksum": MD5}]}, "not what manifest.json promises"),
    ],
)
def test_an_inventory_that_cannot_be_right(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        list(read_inventory(_inventory(tmp_path, "", **changes)))


def test_a_clone_under_git_annex_without_contents(tmp_path: Path) -> None:
    (tmp_path / ".git" / "annex").mkdir(parents=True)
    (tmp_path / ".git" / "config").write_text("x")
    func = tmp_path / "sub-1" / "func"
    func.mkdir(parents=True)
    (func / "a_bold.nii.gz").symlink_to(f"../../.git/annex/objects/X/Y/MD5E-s77--{MD5}.nii.gz/z")
    (func / "b_bold.nii.gz").write_text(f"/annex/objects/SHA256E-s5--{'a' * 64}.nii.gz\n")
    (func / "b_bold.json").write_text("{}")
    assert list(read_annex(tmp_path)) == [
        Listed("sub-1/func/a_bold.nii.gz", 77, "md5", MD5),
        Listed("sub-1/func/b_bold.json", 2),
        Listed("sub-1/func/b_bold.nii.gz", 5, "sha256", "a" * 64),
    ]


class _BreaksAt(ObjectStore):
    """The store of a folder whose listing of one subject fails; it counts the listings of subjects."""

    def __init__(self, folder: Path, failing: str = "") -> None:
        opened = open_store(folder)
        super().__init__(opened._store, opened.location)
        self.failing, self.asked = failing, list[str]()

    def list_prefix(self, prefix: str = ""):  # type: ignore[no-untyped-def]  # as its parent
        self.asked.append(prefix)
        if prefix == self.failing:
            raise TransferError(f"the line to {prefix} broke")
        return super().list_prefix(prefix)


def test_a_listing_that_broke_off_goes_on(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    labels = [str(100_000 + n) for n in range(12)]
    for label in labels:
        folder = mirror / "q1" / label / "T1w"
        folder.mkdir(parents=True)
        (folder / "a.nii.gz").write_bytes(label.encode())
        (folder / "b c.nii.gz").write_bytes(b"x")
    spool = tmp_path / "scan.tsv"
    with pytest.raises(TransferError, match="100007"):
        list_into(spool, _BreaksAt(mirror, "q1/100007/"), HCP_Q1, parallel=1)
    with spool.open("a", encoding="utf-8") as half:
        half.write("q1/100007/T1w/a.n")
    again = _BreaksAt(mirror)
    assert list_into(spool, again, HCP_Q1, parallel=1) == 7
    assert again.asked == [f"q1/{label}/" for label in labels[7:]]
    assert list(describe(read_table(spool), HCP_Q1)) == list(scan_store(open_store(mirror), HCP_Q1))
