"""Resources and files through our client: what is fetched is verified and whole, or an error."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from connectomedb.client.hierarchy import Experiment, Project, Subject
from connectomedb.client.resources import File
from connectomedb.errors import ChecksumMismatch, ConfigurationError, NoSuchFile, Truncated


def test_a_file_there_and_back(subject: Subject, tmp_path: Path) -> None:
    resource = subject.resource("NOTES")
    held = resource.file("deep/a b.txt").put(b"synthetic", format="TXT", content="notes", tags="x")
    assert (held.size(), held.format(), held.content(), held.labels()) == ("9", "TXT", "notes", "x")
    assert held.exists()
    assert held.last_modified()
    there = held.get(tmp_path / "x.txt")
    assert Path(there).read_bytes() == b"synthetic"
    assert resource.files().get() == ["deep/a b.txt"]
    assert resource.files("*.nii").get() == []
    assert resource.attributes()["file_count"] == "1"
    held.delete()
    assert not held.exists()
    with pytest.raises(NoSuchFile, match=r"'deep/a b\.txt'"):
        held.get(tmp_path / "y.txt")


def test_an_empty_file_and_a_file_by_its_path(project: Project, folder: Path, tmp_path: Path) -> None:
    resource = project.resource("R")
    resource.file("empty").put(b"")
    assert Path(resource.file("empty").get(tmp_path)).read_bytes() == b""
    resource.file("a.txt").put(folder / "a.txt")
    assert Path(resource.file("a.txt").get(tmp_path / "again.txt")).read_bytes() == b"synthetic a"
    with pytest.raises(ConfigurationError, match=r"none\.txt"):
        resource.file("none.txt").put("/nowhere/none.txt")


def test_a_folder_as_one(session: Experiment, folder: Path, tmp_path: Path) -> None:
    scan = session.scan("4").create(scans="xnat:mrScanData")
    resource = scan.resource("NIFTI").put_dir(folder)
    assert sorted(resource.files().get()) == ["a.txt", "deep/b c.txt"]
    found = resource.get(tmp_path / "out", extract=True)
    assert sorted(Path(p).relative_to(tmp_path / "out").as_posix() for p in found) == [
        "NIFTI/a.txt",
        "NIFTI/deep/b c.txt",
    ]
    packed = resource.get(tmp_path / "packed")
    with zipfile.ZipFile(packed) as held:
        assert sorted(held.namelist()) == ["NIFTI/a.txt", "NIFTI/deep/b c.txt"]
    assert [p.name for p in (tmp_path / "packed").iterdir()] == ["NIFTI.zip"]
    bundle = session.scans().download(tmp_path, type="ALL", extract=True, removeZip=True)
    assert sorted(Path(p).name for p in bundle) == ["a.txt", "b c.txt"]


def test_a_packed_file_is_unpacked_or_kept(subject: Subject, folder: Path, tmp_path: Path) -> None:
    packed = tmp_path / "two.zip"
    with zipfile.ZipFile(packed, "w") as out:
        for path in (folder / "a.txt", folder / "deep" / "b c.txt"):
            out.write(path, path.relative_to(folder).as_posix())
    assert sorted(subject.resource("A").put([packed]).files().get()) == ["a.txt", "deep/b c.txt"]
    assert subject.resource("B").put_zip(packed, extract=False).files().get() == ["two.zip"]
    with pytest.raises(ConfigurationError, match="put"):
        subject.resource("C").put_zip(folder / "a.txt")


def test_bytes_that_are_not_as_listed_get_no_name(subject: Subject, tmp_path: Path) -> None:
    held: File = subject.resource("R").file("a.bin").put(b"right bytes")
    row = dict(held.attributes())
    held._row = row | {"digest": "0" * 32}
    with pytest.raises(ChecksumMismatch, match="md5"):
        held.get(tmp_path / "a.bin")
    held._row = row | {"Size": "99"}
    with pytest.raises(Truncated, match="the listing says 99"):
        held.get(tmp_path / "a.bin")
    assert list(tmp_path.iterdir()) == []
