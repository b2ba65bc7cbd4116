"""xnatpy's resources and files, unmodified, on both databases."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import xnat

from tests.conformance.files.conftest import Running

pytestmark = [
    pytest.mark.filterwarnings("ignore::Warning:xnat.*"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cdb(running: Running) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the classes that it generates
        with xnat.connect(
            running.url, user="alice", password="alice-of-the-test", loglevel="ERROR"
        ) as connection:
            yield connection


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.txt").write_text("one of the test")
    (folder / "deep" / "two.bin").write_bytes(os.urandom(3_000_000))
    return folder


def holder(cdb: Any, level: str) -> Any:
    project = cdb.projects["P"]
    if level == "project":
        return project
    return project.subjects["S1"] if level == "subject" else project.experiments["S1_MR"]


@pytest.mark.parametrize("level", ["project", "subject", "experiment"])
def test_resources_and_files(cdb: Any, source: Path, tmp_path: Path, level: str) -> None:
    cdb.clearcache()
    above, name = holder(cdb, level), f"XNATPY_{level}"
    made = above.create_resource(name)
    assert made.label == name
    made.upload(str(source / "one.txt"), "one.txt", file_format="TXT", file_content="words", file_tags="a")
    made.upload(str(source / "deep" / "two.bin"), "deep/two.bin")
    made.upload_data("words from memory", "memory.txt")
    cdb.clearcache()
    resource = holder(cdb, level).resources[name]
    files = resource.files
    assert sorted(file.path for file in files.values()) == ["deep/two.bin", "memory.txt", "one.txt"]
    assert (int(resource.file_count), int(resource.file_size)) == (3, 3_000_000 + 15 + 17)
    one = files["one.txt"]
    assert (one.file_format, one.file_content, one.file_tags, int(one.file_size)) == ("TXT", "words", "a", 15)
    target = tmp_path / "two.bin"
    files["deep/two.bin"].download(str(target), verbose=False)
    sent = (source / "deep" / "two.bin").read_bytes()
    assert target.read_bytes() == sent
    with files["deep/two.bin"].open() as opened:
        assert opened.read(10) == sent[:10]
        opened.seek(2_999_990)
        assert opened.read() == sent[-10:]
    resource.download(str(tmp_path / "whole.zip"), verbose=False)
    resource.download_dir(str(tmp_path / "down"), verbose=False)
    found = {path.name: path.read_bytes() for path in (tmp_path / "down").rglob("*") if path.is_file()}
    assert found["two.bin"] == sent
    assert found["one.txt"] == b"one of the test"
    one.delete()
    cdb.clearcache()
    resource = holder(cdb, level).resources[name]
    assert sorted(file.path for file in resource.files.values()) == ["deep/two.bin", "memory.txt"]
    resource.delete()
    cdb.clearcache()
    assert name not in {one.label for one in holder(cdb, level).resources.values()}


@pytest.mark.parametrize("method", ["per_file", "tar_memory", "tgz_memory", "tar_file", "tgz_file"])
def test_a_folder_goes_up_in_every_way(cdb: Any, source: Path, method: str) -> None:
    cdb.clearcache()
    name = f"UP_{method}"
    holder(cdb, "experiment").create_resource(name).upload_dir(str(source), method=method)
    cdb.clearcache()
    files = holder(cdb, "experiment").resources[name].files
    assert sorted(file.path for file in files.values()) == ["deep/two.bin", "one.txt"]


def test_a_catalog_is_refreshed(cdb: Any) -> None:
    cdb.clearcache()
    resource = holder(cdb, "experiment").create_resource("REFRESHED")
    resource.upload_data("words", "a.txt")
    resource.refresh_catalog()
    cdb.services.refresh_catalog(resource, checksum=True, append=True)
