"""Broken and hostile archives and documents: each refused by name, the good ones beside them stored."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from connectomedb.errors import ImportRefused
from connectomedb.store.ingest import import_xml, sources
from connectomedb.store.report import IngestReport
from connectomedb.store.site import Site
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("curator", is_admin=True)
XNAT = 'xmlns:xnat="http://nrg.wustl.edu/xnat"'
GOOD = f'<xnat:Subject {XNAT} label="good"/>'.encode()


def refused(site: Site, path: Path) -> IngestReport:
    with pytest.raises(ImportRefused) as caught:
        import_xml(site.archive, [path], project="P", who=ADMIN)
    return caught.value.report


def subject(inside: str, head: str = "") -> bytes:
    return f'{head}<xnat:Subject {XNAT} label="bad">{inside}</xnat:Subject>'.encode()


FACTS = {
    "no json": (b"not json", "holds no JSON"),
    "no object": (b"[1]", "no object of facts"),
    "date": (b'{"insert_date":"yesterday"}', "insert_date: 'yesterday' it is no date"),
    "date of another kind": (b'{"insert_date":7}', "insert_date is 7"),
    "user": (b'{"insert_user":["x"]}', "it is no name"),
    "half a character": (b'{"insert_user":"\\ud800"}', "it is no name"),
    "before all time": (b'{"insert_date":"0001-01-01T00:00:00+14:00"}', "it is no date"),
    "nul": (b'{"insert_user":"a\\u0000b"}', "it is no name"),
    "open to all": (b'{"accessibility":"everybody"}', "accessibility: 'everybody' it is none of"),
    "numbers": (b'{"numbers":[1]}', "it names places"),
    "a number that uses the counter up": (
        b'{"numbers":{"resources/resource[1]":9223372036854775807}}',
        "none that a resource",
    ),
    "true": (b'{"numbers":{"resources/resource[1]":true}}', "none that a resource"),
    "deep": (b"[" * 100_000, "holds no JSON"),
}


@pytest.mark.parametrize("name", FACTS)
def test_facts_beside_a_document_that_mean_nothing(site: Site, tmp_path: Path, name: str) -> None:
    note, said = FACTS[name]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.xml").write_bytes(b"<?connectomedb " + note + b"?>\n" + subject("").replace(b"bad", b"fine"))
    (folder / "b.xml").write_bytes(GOOD)
    report = refused(site, folder)
    assert report.n_stored == 1
    (only,) = report.refused
    assert said in str(only)
    assert Path(only.file).name == "a.xml"


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
HOSTILE = {
    "entities": (subject("<xnat:group>&b;</xnat:group>", BOMB), "DOCTYPE"),
    "outside": (subject("", '<!DOCTYPE x SYSTEM "file:///etc/passwd">'), "DOCTYPE"),
    "deep": (subject("<a>" * 5000 + "</a>" * 5000), "nested deeper"),
    "nul": (subject("").replace(b"bad", b"b\x00d"), "not XML"),
    "latin-1": (subject("").replace(b"bad", b"b\xe4d"), "not XML"),
    "utf-16 that is not": (b"\xff\xfe" + GOOD, "not XML"),
    "empty": (b"", "empty"),
    "json": (b"{}", "not XML"),
    "unknown": (b'<other xmlns="urn:x"/>', "unknown data type"),
    "sql": (subject("").replace(b"bad", b"x'); DROP TABLE item; --"), "not legal"),
    "wide": (GOOD.replace(b"/>", b' x="' + b"a" * (17 << 20) + b'"/>'), "larger than"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_beside_a_good_one(site: Site, tmp_path: Path, name: str) -> None:
    data, said = HOSTILE[name]
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.xml").write_bytes(data)
    (folder / "b.xml").write_bytes(GOOD)
    report = refused(site, folder)
    assert report.n_stored == 1
    assert {Path(r.file).name for r in report.refused} == {"a.xml"}
    assert any(said in r.reason for r in report.refused)


@pytest.mark.parametrize(
    "name", ["../out.xml", "/etc/out.xml", "a/../../out.xml", "C:\\out.xml", "x\x1b[2J.xml"]
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_out_of_an_archive(site: Site, tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / f"x.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(zipfile.ZipInfo(name), GOOD)
            archive.writestr("good.xml", GOOD)
    else:
        with tarfile.open(path, "w") as archive:
            for one in (name, "good.xml"):
                member = tarfile.TarInfo(one)
                member.size = len(GOOD)
                archive.addfile(member, io.BytesIO(GOOD))
    report = refused(site, path)
    assert report.n_stored == 1
    assert [r.reason for r in report.refused] == ["the name leads out of the archive"]
    assert not (tmp_path / "out.xml").exists()


def test_links_and_devices_in_a_tar(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo(f"{kind.decode()}.xml")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert len(refused(site, path).refused) == 4


def test_archives_cut_short_or_damaged(site: Site, tmp_path: Path) -> None:
    whole = tmp_path / "whole.tar.gz"
    with tarfile.open(whole, "w:gz", compresslevel=0) as archive:
        for n in range(200):
            data = GOOD.replace(b"good", f"s{n}".encode())
            member = tarfile.TarInfo(f"{n:03}.xml")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[:40_000])
    report = refused(site, cut)
    assert 0 < report.n_stored < 200
    assert [r.file for r in report.refused] == [str(cut)]
    for name, data in (("no.zip", b"PK\x03\x04 no"), ("no.tar", b"no" * 600), ("no.tgz", b"\x1f\x8b no")):
        (tmp_path / name).write_bytes(data)
        assert "broken or cut short" in refused(site, tmp_path / name).refused[0].reason


def test_a_member_with_a_wrong_checksum(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xml", GOOD.replace(b"good", b"evil"))
        archive.writestr("b.xml", GOOD)
    path.write_bytes(path.read_bytes().replace(b"evil", b"live"))
    report = refused(site, path)
    assert report.n_stored == 1
    assert "broken inside the archive" in report.refused[0].reason


def test_a_zip_bomb_is_not_unpacked(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.xml", GOOD)
        archive.writestr("1.xml", b" " * (64 << 20))
    report = refused(site, path)
    assert report.n_stored == 1
    assert "larger than" in report.refused[0].reason
    # Many that are small enough each: the archive as a whole has a bound.
    monkeypatch.setattr(sources, "FREE_GROWTH_BYTES", 1 << 20)
    monkeypatch.setattr(sources, "MOST_GROWTH", 10)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(5):
            archive.writestr(f"{n}.xml", GOOD + b" " * (1 << 19))
    assert any("times its size" in r.reason for r in refused(site, path).refused)


def test_a_folder_that_links_to_itself(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "loop").symlink_to(folder)
    (folder / "a.xml").write_bytes(GOOD)
    assert import_xml(site.archive, [folder], project="P", who=ADMIN).n_stored == 1
