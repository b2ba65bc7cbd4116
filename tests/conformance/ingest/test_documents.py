"""XML documents out of files, folders and archives, on both databases."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from connectomedb.errors import ImportRefused
from connectomedb.store.ingest import import_xml
from connectomedb.store.site import Site
from connectomedb.vocabulary.records import Principal

XNAT = 'xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:nt="http://nrg.wustl.edu/nt"'


def subject(label: str, extra: str = "") -> bytes:
    return f'<xnat:Subject {XNAT} label="{label}">{extra}</xnat:Subject>'.encode()


def scores(label: str, subject: str, neo: str = "30", extra: str = "") -> bytes:
    return (
        f'<nt:NTScores {XNAT} label="{label}">\n{extra}<xnat:subject_ID>{subject}</xnat:subject_ID>\n'
        f"<nt:NEO><nt:NEOFAC_A>{neo}</nt:NEOFAC_A></nt:NEO></nt:NTScores>"
    ).encode()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


# The scores come first by name and wait for their subjects.
FILES = {"a/scores1.xml": scores("s1_x", "s1"), "b/s1.xml": subject("s1"), "b/s2.xml": subject("s2")}


@pytest.mark.parametrize("shape", ["folder", "files", "zip", "tar", "tar.gz"])
def test_every_shape_of_source_in_any_order(site: Site, admin: Principal, tmp_path: Path, shape: str) -> None:
    if shape == "zip":
        paths = [zipped(tmp_path / "x.zip", FILES)]
    elif shape.startswith("tar"):
        paths = [tarred(tmp_path / f"x.{shape}", FILES)]
    else:
        folder = write(tmp_path / "in", FILES)
        paths = [folder] if shape == "folder" else [folder / name for name in FILES]
    steps: list[tuple[int, int | None, str]] = []
    report = import_xml(
        site.archive, paths, project="P", who=admin, progress=lambda *step: steps.append(step)
    )
    assert report.n_stored == 3
    assert len(site.archive.listing("subjects", admin, project="P")) == 2
    found = site.archive.locate_experiment("s1_x", admin, project="P")
    assert site.archive.locate_subject("s1", admin, project="P").id == found.subject_id
    assert steps[-1][0] == 3
    assert steps[-1][1] in (3, None)


def test_refused_documents_are_named_with_line_path_and_value(
    site: Site, admin: Principal, tmp_path: Path
) -> None:
    folder = write(
        tmp_path / "in",
        {
            "1.xml": subject("s1"),
            "2.xml": scores("bad", "s1", neo="many"),
            "3.xml": scores("lost", "nobody"),
            "4.xml": subject("s1"),
            "5.xml": b"<xnat:Subject",
            "6.xml": subject("s 6"),
        },
    )
    with pytest.raises(ImportRefused) as caught:
        import_xml(site.archive, [folder], project="P", who=admin)
    report = caught.value.report
    assert report.n_stored == 1
    refused = {Path(r.file).name: r for r in report.refused}
    assert set(refused) == {"2.xml", "3.xml", "4.xml", "5.xml", "6.xml"}
    assert (refused["2.xml"].line, refused["2.xml"].column, refused["2.xml"].value) == (
        3,
        "NEO/NEOFAC_A",
        "many",
    )
    assert (refused["3.xml"].column, refused["3.xml"].value) == ("subject_ID", "nobody")
    assert (refused["4.xml"].column, refused["4.xml"].value) == ("label", "s1")
    assert "not XML" in refused["5.xml"].reason
    assert "not legal" in refused["6.xml"].reason


def test_all_or_nothing_and_dry_run_store_nothing(site: Site, admin: Principal, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"1.xml": subject("s1"), "2.xml": scores("bad", "s1", neo="x")})
    with pytest.raises(ImportRefused) as caught:
        import_xml(site.archive, [folder], project="P", who=admin, keep="all")
    assert caught.value.report.n_stored == 0
    (folder / "2.xml").unlink()
    assert import_xml(site.archive, [folder], project="P", who=admin, dry_run=True).n_stored == 0
    assert len(site.archive.listing("projects", admin)) == 0
    report = import_xml(site.archive, [folder], project="P", who=admin, keep="all")
    assert report.n_stored == 1


def test_what_is_in_is_not_read_again_and_what_changed_is(
    site: Site, admin: Principal, tmp_path: Path
) -> None:
    folder = write(tmp_path / "in", {"1.xml": subject("s1"), "2.xml": scores("x", "nobody")})
    with pytest.raises(ImportRefused):
        import_xml(site.archive, [folder], project="P", who=admin)
    write(folder, {"2.xml": scores("x", "s1")})
    report = import_xml(site.archive, [folder], project="P", who=admin)
    assert (report.n_stored, report.n_known) == (1, 1)
    report = import_xml(site.archive, [folder], project="P", who=admin)
    assert (report.n_stored, report.n_known) == (0, 2)
    with pytest.raises(ImportRefused) as caught:
        import_xml(site.archive, [folder], project="P", who=admin, again=True)
    assert {r.value for r in caught.value.report.refused} == {"s1", "x"}


def test_projects_are_documents_too(site: Site, admin: Principal, tmp_path: Path) -> None:
    project = f'<xnat:Project {XNAT} ID="P"><xnat:name>Ours</xnat:name></xnat:Project>'.encode()
    shared = '<xnat:sharing><xnat:share label="again" project="Q"/></xnat:sharing>'
    folder = write(
        tmp_path / "in",
        {
            "project.xml": project,
            "q.xml": f'<xnat:Project {XNAT} ID="Q"/>'.encode(),
            "s/1.xml": subject("s1", shared),
        },
    )
    assert import_xml(site.archive, [folder], project="P", who=admin).n_stored == 3
    assert site.archive.load_project_item("P", admin).text("name") == "Ours"
    assert site.archive.locate_subject("again", admin, project="Q").owner_project == "P"
