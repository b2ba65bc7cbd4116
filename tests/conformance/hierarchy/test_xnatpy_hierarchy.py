"""xnatpy 0.8.1, unmodified: objects made, read, changed and deleted through its own classes."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conformance.hierarchy.conftest import PASSWORD

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import xnat

pytestmark = pytest.mark.filterwarnings("ignore::Warning:xnat.*")


@pytest.fixture(scope="module")
def cdb(url: str) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the classes that it generates
        with xnat.connect(url, user="ann", password=PASSWORD, loglevel="ERROR") as connection:
            yield connection


@pytest.fixture
def held(cdb: Any, project: str) -> Any:
    cdb.clearcache()
    return cdb.projects[project]


@pytest.fixture
def session(cdb: Any, held: Any) -> Any:
    subject = cdb.classes.SubjectData(parent=held, label="S1")
    return cdb.classes.MrSessionData(parent=subject, label="M1")


def test_projects(held: Any) -> None:
    held.name = f"Named {held.id}"
    held.description = "text & more"
    held.pi.firstname, held.pi.lastname = "Ada", "Quist"
    held.fields["k"] = "v"
    held.clearcache()
    assert (held.name, held.description) == (f"Named {held.id}", "text & more")
    assert (held.pi.firstname, held.pi.lastname, dict(held.fields)) == ("Ada", "Quist", {"k": "v"})
    held.xnat_session.projects[held.id].delete()


def test_subjects(cdb: Any, held: Any) -> None:
    made = cdb.classes.SubjectData(parent=held, label="S1")
    assert made.id.startswith("CDB_S")
    assert held.subjects["S1"].id == held.subjects[made.id].id == made.id
    made.demographics.gender = "female"
    made.demographics.age = 26
    made.demographics.dob = datetime.date(1990, 5, 2)
    made.group = "control"
    made.fields["release"] = "Q2"
    made.fields["visit"] = "1"
    made.clearcache()
    assert (made.demographics.gender, made.demographics.age, made.group) == ("female", 26, "control")
    assert made.demographics.dob == datetime.date(1990, 5, 2)
    assert dict(made.fields) == {"release": "Q2", "visit": "1"}
    del made.fields["release"]
    made.clearcache()
    assert dict(made.fields) == {"visit": "1"}
    with pytest.raises(xnat.exceptions.XNATResponseError, match="status 400"):
        made.set("demographics/nothing", "3")
    made.label = "S2"
    held.clearcache()
    assert [s.label for s in held.subjects.values()] == ["S2"]
    assert list(held.subjects.filter(label="S*")) == list(held.subjects)
    assert list(held.subjects.filter(label="T*")) == []
    (row,) = held.subjects.tabulate(columns=["ID", "label", "gender"])
    assert (row.ID, row.label, row.gender) == (made.id, "S2", "female")
    assert cdb.create_object(f"/data/projects/{held.id}/subjects/S2").id == made.id
    made.delete()
    held.clearcache()
    assert list(held.subjects) == []


def test_experiments(cdb: Any, held: Any, session: Any) -> None:
    session.date = datetime.date(2013, 5, 2)
    session.time = datetime.time(10, 15)
    session.age = 42.5
    session.note = "<b>&"
    session.fields["k"] = "v"
    session.clearcache()
    assert (session.date, session.time, session.age) == (
        datetime.date(2013, 5, 2),
        datetime.time(10, 15),
        42.5,
    )
    assert (session.note, dict(session.fields)) == ("<b>&", {"k": "v"})
    held.clearcache()
    assert [e.id for e in held.experiments.values()] == [session.id]
    assert (session.subject.label, session.project) == ("S1", held.id)
    assert session.insert_date is not None
    session.label = "M2"
    held.clearcache()
    assert held.experiments["M2"].id == session.id
    assert session.status == "active"
    session.quarantine()
    assert session.status == "quarantine"
    session.activate()
    assert session.status == "active"
    (row,) = held.experiments.tabulate(columns=["ID", "label", "date"])
    assert (row.ID, row.label, row.date) == (session.id, "M2", "2013-05-02")
    session.delete()
    held.clearcache()
    assert list(held.experiments) == []


def test_scans_and_assessors(cdb: Any, session: Any) -> None:
    scan = cdb.classes.MrScanData(parent=session, id="3", type="T1w")
    session.clearcache()
    assert [(s.id, s.type) for s in session.scans.values()] == [("3", "T1w")]
    scan = session.scans["3"]
    scan.quality = "usable"
    scan.note = '"a" & <b>'
    scan.parameters.tr = 2.3
    scan.clearcache()
    assert (scan.quality, scan.note, scan.parameters.tr) == ("usable", '"a" & <b>', 2.3)
    assert session.scans["T1w"].id == "3"
    made = cdb.classes.QcManualAssessorData(parent=session, label="QC1")
    session.clearcache()
    assert session.assessors["QC1"].id == made.id
    made.note = "fine"
    made.clearcache()
    assert made.note == "fine"
    for one in (scan, made):
        one.delete()
    session.clearcache()
    assert (len(session.scans), len(session.assessors)) == (0, 0)


def test_types_of_scans_and_scanners(cdb: Any, session: Any) -> None:
    cdb.classes.MrScanData(parent=session, id="1", type="T2w")
    session.scanner.manufacturer = "SIEMENS"
    session.set("scanner", "SC3T")
    assert "T2w" in [row["type"] for row in cdb.scan_types]
    assert "SC3T" in cdb.scanners
