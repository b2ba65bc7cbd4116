"""pyxnat's resources and files, unmodified, on both databases."""

from __future__ import annotations

import hashlib
import os
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import pyxnat

from tests.conformance.files.conftest import Running

# It leaves files open until they are collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
LEVELS = {
    "project": "/project/P",
    "subject": "/project/P/subject/S1",
    "experiment": "/project/P/subject/S1/experiment/S1_MR",
    "measures": "/project/P/subject/S1/experiment/S1_NT",
}


@pytest.fixture
def cdb(running: Running) -> Iterator[Any]:
    interface = pyxnat.Interface(running.url, "alice", "alice-of-the-test")
    yield interface
    interface.disconnect()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.txt").write_text("one of the test")
    (folder / "deep" / "two.bin").write_bytes(os.urandom(300_000))
    (folder / "empty.txt").touch()
    return folder


@pytest.mark.parametrize("level", LEVELS)
def test_a_resource_and_its_files(cdb: Any, source: Path, tmp_path: Path, level: str) -> None:
    above = cdb.select(LEVELS[level])
    resource = above.resource(f"PYX_{level}")
    assert not resource.exists()
    resource.create()
    assert resource.exists()
    assert resource.label() == f"PYX_{level}"
    one = resource.file("one.txt")
    one.put(str(source / "one.txt"), format="TXT", content="words", tags="A", overwrite=True)
    assert one.exists()
    assert (one.format(), one.content(), one.labels()) == ("TXT", "words", "A")
    assert int(one.size()) == len("one of the test")
    assert one.last_modified()
    assert one.attributes()["Name"] == "one.txt"
    resource.file("deep/two.bin").insert(str(source / "deep" / "two.bin"))
    resource.file("empty.txt").put(str(source / "empty.txt"))
    assert sorted(resource.files().get()) == ["empty.txt", "one.txt", "two.bin"]  # it shows last names only
    assert resource.file("deep/two.bin").exists()
    two = Path(resource.file("deep/two.bin").get(str(tmp_path / "two.bin")))
    assert two.read_bytes() == (source / "deep" / "two.bin").read_bytes()
    assert (
        Path(resource.file("one.txt").get_copy(str(tmp_path / "copy.txt"))).read_text() == "one of the test"
    )
    assert Path(resource.file("empty.txt").get(str(tmp_path / "empty"))).read_bytes() == b""
    facts = resource.attributes()
    assert (facts["file_count"], facts["file_size"]) == ("3", str(300_000 + len("one of the test")))
    one.delete()
    assert not resource.file("one.txt").exists()
    resource.delete()
    assert not above.resource(f"PYX_{level}").exists()


def test_text_in_place_of_a_file(cdb: Any, tmp_path: Path) -> None:
    file = cdb.select(LEVELS["experiment"]).resource("TEXTS").file("note.txt")
    file.put("words without a file")
    assert Path(file.get(str(tmp_path / "note"))).read_text() == "words without a file"
    file.put("other words", overwrite=True)
    assert Path(file.get(str(tmp_path / "note"))).read_text() == "other words"
    assert cdb.select(LEVELS["experiment"]).resource("TEXTS").files().get() == ["note.txt"]


def test_zips_up_and_down(cdb: Any, source: Path, tmp_path: Path) -> None:
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(source / "one.txt", "/one.txt")
        archive.write(source / "deep" / "two.bin", "/deep/two.bin")
    resource = cdb.select(LEVELS["experiment"]).resource("ZIPPED")
    resource.put_zip(str(packed), extract=True)
    assert sorted(resource.files().get()) == ["one.txt", "two.bin"]
    assert resource.file("deep/two.bin").exists()
    (tmp_path / "down").mkdir()
    resource.get(str(tmp_path / "down"), extract=True)
    found = {path.name: path for path in (tmp_path / "down").rglob("*") if path.is_file()}
    for name in ("one.txt", "two.bin"):
        sent = next(source.rglob(name))
        assert digest(found[name]) == digest(sent)
    (tmp_path / "zipped").mkdir()
    whole = resource.get(str(tmp_path / "zipped"))
    with zipfile.ZipFile(whole) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == ["deep/two.bin", "one.txt"]


def test_a_folder_and_several_files_at_once(cdb: Any, source: Path) -> None:
    resource = cdb.select(LEVELS["subject"]).resource("FOLDER")
    resource.put_dir(str(source))
    names = resource.files().get()
    assert {name.rpartition("/")[2] for name in names} == {"one.txt", "two.bin", "empty.txt"}
    several = cdb.select(LEVELS["subject"]).resource("SEVERAL")
    several.put([str(source / "one.txt"), str(source / "deep" / "two.bin")])
    assert sorted(name.rpartition("/")[2] for name in several.files().get()) == ["one.txt", "two.bin"]


def test_scans_are_downloaded(running: Running, cdb: Any, tmp_path: Path) -> None:
    address = "/data/projects/P/subjects/S1/experiments/S1_MR/scans"
    for scan in ("3", "4"):
        sent = running.caller("alice").put(
            f"{address}/{scan}/resources/NIFTI/files/s{scan}.nii.gz", content=b"x" * 1000
        )
        assert sent.status_code == 200
    scans = cdb.select(LEVELS["experiment"]).scans()
    scans.download(str(tmp_path), type="ALL", name="all", extract=False)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        inside = archive.namelist()
    assert any(name.endswith("scans/3-T1w/resources/NIFTI/files/s3.nii.gz") for name in inside)
    scans.download(str(tmp_path), type="T1w", name="some", extract=True)
    assert [path.name for path in tmp_path.rglob("*.nii.gz")] == ["s3.nii.gz"]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
