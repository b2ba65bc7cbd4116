"""pyxnat 1.6.4, unmodified: everything that it does with projects, subjects, experiments and their parts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.hierarchy.conftest import PASSWORD

from connectomedb.store.site import Site

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import pyxnat

AGE = "xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/age"
DOCUMENT = """<xnat:Subject xmlns:xnat="http://nrg.wustl.edu/xnat" label="X1"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><xnat:demographics xsi:type="xnat:demographicData">
<xnat:gender>male</xnat:gender></xnat:demographics></xnat:Subject>"""


@pytest.fixture
def cdb(url: str) -> Iterator[Any]:
    interface = pyxnat.Interface(url, "ann", PASSWORD)
    yield interface
    interface.disconnect()


@pytest.fixture
def session(cdb: Any, project: str) -> Any:
    """An imaging session with a scan, an assessor and a reconstruction."""
    made = cdb.select.project(project).subject("S1").experiment("M1")
    made.create(
        experiments="xnat:mrSessionData",
        **{"xnat:mrSessionData/date": "2013-05-02", "xnat:mrSessionData/age": "42"},
    )
    made.scan("3").create(scans="xnat:mrScanData", type="T1w")
    made.assessor("QC1").create(assessors="xnat:qcManualAssessorData")
    made.reconstruction("R1").create()
    return made


def test_projects(cdb: Any, project: str) -> None:
    made = cdb.select.project(f"N{project}")
    assert not made.exists()
    made.create(**{"xnat:projectData/description": "a text"})
    assert made.exists()
    assert (made.id(), made.label(), made.datatype()) == (f"N{project}", f"N{project}", "xnat:projectData")
    assert made.description() == "a text"
    made.attrs.set("xnat:projectData/description", "a text & more")
    assert made.description() == "a text & more"
    made.attrs.mset({"xnat:projectData/name": f"Named {project}", "xnat:projectData/keywords": "k"})
    assert made.attrs.mget(["xnat:projectData/name", "xnat:projectData/keywords"]) == [
        f"Named {project}",
        "k",
    ]
    assert f"N{project}" in cdb.select.projects().get()
    assert str(made).startswith(f"<Project Object> N{project} `Named {project}`")
    assert made.aliases() == []
    made.attrs.set("alias", f"nick{project}")
    assert made.aliases() == [f"nick{project}"]
    assert (made.prearchive_code(), made.quarantine_code(), made.current_arc()) == (4, 0, b"arc001")
    made.set_quarantine_code("1")
    made.set_prearchive_code("0")
    assert (made.prearchive_code(), made.quarantine_code()) == (0, 1)
    with pytest.raises(AttributeError):  # notyet: the released client adds the number to a text
        made.set_quarantine_code(0)
    made.add_custom_variables({"Subjects": {"group": {"foo": "string", "bar": "integer"}}})
    made.add_custom_variables({"Subjects": {"group": {"baz": "string"}}})
    held = made.get_custom_variables()["Subjects"]["group"]
    assert {"foo": "string", "bar": "integer"}.items() <= held.items()
    made.delete()
    assert not made.exists()


def test_subjects(cdb: Any, project: str, tmp_path: Path) -> None:
    p = cdb.select.project(project)
    made = p.subject("S1")
    assert not made.exists()
    made.create(**{"xnat:subjectData/group": "control"})
    assert made.exists()
    assert made.id().startswith("CDB_S")
    assert (made.label(), made.datatype(), made.attrs.get("group")) == ("S1", "xnat:subjectData", "control")
    made.attrs.set(AGE, "26")
    assert (made.attrs.get(AGE), made.attrs.get("age")) == ("26", "26")
    assert made.parent().id() == project
    assert p.subject(made.id()).exists()
    assert "S1" in str(made)
    document = tmp_path / "subject.xml"
    document.write_text(DOCUMENT)
    p.subject("X1").create(xml=str(document))
    assert p.subject("X1").attrs.get("gender") == "male"
    assert p.subject("X1").xpath("//xnat:gender")[0].text == "male"
    p.subject("U1").create(use_label=True)
    assert p.subject("U1").id() == "U1"
    assert sorted(s.label() for s in p.subjects()) == ["S1", "U1", "X1"]
    assert p.subjects("U*").get() == ["U1"]
    before = p.last_modified()[made.id()]
    made.experiment("M1").create()
    made.experiment("M1").attrs.set("xnat:mrSessionData/note", "later")
    assert set(p.last_modified()) >= {made.id()}
    assert before <= p.last_modified()[made.id()]
    assert made.shares().get() == [project]
    assert set(p.children()) == {"subjects", "resources"}
    made.delete()
    assert not made.exists()
    with pytest.raises(pyxnat.core.errors.DatabaseError, match="is not legal and holds"):
        p.subject("a.b").create()
    with pytest.raises(pyxnat.core.errors.DatabaseError, match="did you mean"):
        p.subject("X1").attrs.set("xnat:subjectData/demographics/agge", "3")


def test_experiments(cdb: Any, project: str, session: Any) -> None:
    p = cdb.select.project(project)
    assert session.exists()
    assert (session.label(), session.datatype()) == ("M1", "xnat:mrSessionData")
    # Floats come back with their point.
    assert session.attrs.get("xnat:mrSessionData/age") == "42.0"
    session.attrs.set("xnat:mrSessionData/age", "43")
    session.attrs.mset({"xnat:mrSessionData/fieldStrength": "3T", "xnat:mrSessionData/scanner": "SC"})
    asked = ["xnat:mrSessionData/age", "xnat:mrSessionData/fieldStrength", "xnat:mrSessionData/scanner"]
    assert session.attrs.mget(asked) == ["43.0", "3T", "SC"]
    assert session.attrs.get("date") == "2013-05-02"
    assert session.xpath("//xnat:scan/@ID") == ["3"]
    assert session.parent().label() == "S1"
    assert str(session).startswith(f"<Experiment Object> {session.id()} `M1`")
    assert set(session.children()) == {"assessors", "reconstructions", "scans", "resources"}
    assert [e.label() for e in p.experiments()] == ["M1"]
    assert p.experiment("M1").id() == session.id()
    assert cdb.select.experiment(session.id()).label() == "M1"
    assert session.shares().get() == [project]
    session.trigger()
    session.fix_scan_types()
    session.pull_data_from_headers()
    assert cdb.select(f"/projects/{project}/subjects/*/experiments/*/scans/*").get() == ["3"]
    assert cdb.select(f"/project/{project}//experiments").get() == [session.id()]
    deep = p.subject("N1").experiment("NE").scan("1")
    deep.create(experiments="xnat:petSessionData", scans="xnat:petScanData", subjects="xnat:subjectData")
    assert (deep.datatype(), p.subject("N1").experiment("NE").datatype()) == (
        "xnat:petScanData",
        "xnat:petSessionData",
    )
    session.delete()
    assert not session.exists()


def test_scans_assessors_and_reconstructions(session: Any) -> None:
    scan, assessor, reconstruction = session.scan("3"), session.assessor("QC1"), session.reconstruction("R1")
    assert (scan.id(), scan.label(), scan.datatype()) == ("3", "3", "xnat:mrScanData")
    assert scan.attrs.get("type") == "T1w"
    scan.attrs.set("xnat:mrScanData/parameters/tr", "2.3")
    assert scan.attrs.get("xnat:mrScanData/parameters/tr") == "2.3"
    for holder in (scan, assessor):
        holder.set_param("fwhm", "6")
        assert (holder.get_param("fwhm"), list(holder.params())) == ("6", ["fwhm"])
    assert assessor.id().startswith("CDB_E")
    assert assessor.label() == "QC1"
    reconstruction.attrs.set("xnat:reconstructedImageData/type", "average")
    assert reconstruction.attrs.get("type") == "average"
    step = {"program": "young", "timestamp": "2011-03-01T12:01:01", "user": "u", "machine": "m"}
    reconstruction.provenance.set({**step, "platform": "p"})
    (held,) = reconstruction.provenance.get()
    assert (held["program"], held["user"], held["platform"]) == ("young", "u", "p")
    for one in (scan, assessor, reconstruction):
        assert one.exists()
        one.delete()
        assert not one.exists()


def test_tables_across_a_project(cdb: Any, project: str, session: Any) -> None:
    (row,) = cdb.array.mrsessions(project_id=project)
    assert row["ID"] == session.id()
    (scan,) = cdb.array.mrscans(project_id=project)
    assert scan["xnat:mrscandata/id"] == "3"
    assert cdb.inspect.experiment_values("xnat:mrSessionData", project) == [session.id()]
    assert cdb.inspect.scan_values("xnat:mrSessionData", project) == ["3"]
    assert cdb.inspect.assessor_values("xnat:mrSessionData", project) == [session.assessor("QC1").id()]
    subject = session.parent()
    cdb.xpath.checkout(subjects=[subject.id()])
    assert cdb.xpath.subjects() == [subject.id()]


def test_labels_of_shared_items(cdb: Any, project: str, session: Any, site: Site) -> None:
    cdb.select.project(f"{project}s").create()
    root, subject = site.archive.find_user("root"), session.parent()
    site.archive.share(subject.id(), f"{project}s", "other", root)
    site.archive.share(session.id(), f"{project}s", "otherM", root)
    shown = cdb.select.project(f"{project}s").subject("other")
    assert (shown.exists(), shown.id(), shown.label()) == (True, subject.id(), "other")
    assert [e.label() for e in shown.experiments()] == ["otherM"]
    assert subject.shares().get() == [project, f"{project}s"]
    assert shown.experiment("otherM").attrs.get("date") == "2013-05-02"
