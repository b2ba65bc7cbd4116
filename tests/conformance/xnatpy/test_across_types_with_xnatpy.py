"""xnatpy's queries over demographics, metadata and scans, unmodified, on both databases."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from tests.conformance.store.conftest import database, postgresql_url

from connectomedb.schema.model import Item, Value
from connectomedb.server.run import ServerThread
from connectomedb.store.site import init_site

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import xnat

__all__ = ["database", "postgresql_url"]

pytestmark = pytest.mark.filterwarnings("ignore::Warning:xnat.*")
SUBJECT, MR = "xnat:subjectData", "xnat:mrSessionData"


def _subject(label: str, age: int, gender: str, hand: str, cohort: str = "", pi: str = "") -> Item:
    values: dict[str, Value] = {
        "ID": label.upper(),
        "label": label,
        "demographics/age": age,
        "demographics/gender": gender,
        "demographics/handedness": hand,
    }
    if cohort:
        values["metadata/cohort"] = cohort
    if pi:
        values |= {"investigator/firstname": "Maria", "investigator/lastname": pi}
    return Item(SUBJECT, values)


def _session(label: str, subject: str, *scans: tuple[str, str, float]) -> Item:
    parts = tuple(
        Item("xnat:mrScanData", {"ID": scan_id, "type": kind, "parameters/tr": tr})
        for scan_id, kind, tr in scans
    )
    values = {"ID": f"E_{label}", "label": label, "subject_ID": subject}
    return Item(MR, values, {"scans/scan": parts} if parts else {})


@pytest.fixture(scope="module")
def connection(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    site = init_site(tmp_path_factory.mktemp("site") / "site", database=database, synthetic=True)
    archive = site.archive
    archive.add_user("admin", "admin-of-the-test", is_admin=True)
    archive.add_project("P", insert_user="admin")
    subjects = [
        _subject("s1", 27, "female", "right", "young", "Curie"),
        _subject("s2", 31, "male", "left", "young"),
        _subject("s3", 40, "female", "left", pi="Meitner"),
    ]
    sessions = [
        _session("s1_mr", "S1", ("1", "T1w", 2.4), ("2", "bold", 0.7)),
        _session("s2_mr", "S2", ("1", "T1w", 2.3)),
        _session("s3_mr", "S3"),
    ]
    archive.store_items([*subjects, *sessions], user="admin", project="P")
    with ServerThread(site) as server, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the classes that it generates
        with xnat.connect(server.url, user="admin", password="admin-of-the-test", loglevel="ERROR") as found:
            yield found
    site.close()


def _rows(query: Any) -> list[tuple[str, ...]]:
    return sorted(tuple(row.values())[:-1] for row in query.tabulate_dict())


def test_demographics_as_columns(connection: Any) -> None:
    subject = connection.classes.SubjectData
    query = subject.query().view(subject.label, subject.demographics.gender, subject.demographics.age)
    assert list(query.tabulate_dict()[0]) == [
        "xnat_col_subjectdatalabel",
        "xnat_demographicdata_gender",
        "xnat_demographicdata_age",
        "quarantine_status",
    ]
    assert _rows(query) == [("s1", "female", "27"), ("s2", "male", "31"), ("s3", "female", "40")]
    assert query.tabulate_pandas()["xnat_demographicdata_age"].sum() == 98


def test_demographics_as_conditions_nested(connection: Any) -> None:
    subject = connection.classes.SubjectData
    who = subject.demographics
    query = subject.query().filter(who.gender == "female").view(subject.label)
    assert _rows(query) == [("s1",), ("s3",)]
    query = subject.query().filter((who.gender == "male") | ((who.age > 30) & (who.handedness == "left")))
    assert _rows(query.view(subject.label)) == [("s2",), ("s3",)]
    query = subject.query().filter(who.handedness.like("%ft"), who.age < 40).view(subject.label)
    assert _rows(query) == [("s2",)]


def test_metadata_and_investigators_of_subjects(connection: Any) -> None:
    subject = connection.classes.SubjectData
    query = subject.query().filter(subject.metadata.cohort == "young").view(subject.label)
    assert _rows(query) == [("s1",), ("s2",)]
    query = subject.query().view(subject.label, subject.metadata.cohort, subject.investigator.lastname)
    assert _rows(query) == [("s1", "young", "Curie"), ("s2", "young", ""), ("s3", "", "Meitner")]


def test_sessions_by_their_subject_and_their_scans(connection: Any) -> None:
    session, scan = connection.classes.MrSessionData, connection.classes.MrScanData
    who = connection.classes.SubjectData.demographics
    query = session.query().filter(scan.type == "bold").view(session.label, who.gender)
    assert _rows(query) == [("s1_mr", "female")]
    slow = (scan.type == "T1w") & (scan.parameters.tr > 2.35)
    assert _rows(session.query().filter(slow).view(session.label)) == [("s1_mr",)]
    either = (scan.type == "bold") | (who.age > 35)
    assert _rows(session.query().filter(either).view(session.label)) == [("s1_mr",), ("s3_mr",)]
    both = session.query().filter(who.gender == "female").filter(scan.parameters.tr > 0)
    assert _rows(both.view(session.label, scan.type)) == [("s1_mr", "bold")]


def test_scans_by_their_session_and_subject(connection: Any) -> None:
    session, scan = connection.classes.MrSessionData, connection.classes.MrScanData
    who = connection.classes.SubjectData.demographics
    query = xnat.search.Query(scan, connection, (scan.id, session.label, who.gender), who.age < 30)
    # The id of a scan is a link: what its address needs comes along.
    assert [row[:3] for row in _rows(query)] == [("1", "s1_mr", "female"), ("2", "s1_mr", "female")]


def test_subjects_by_their_sessions(connection: Any) -> None:
    subject, scan = connection.classes.SubjectData, connection.classes.MrScanData
    query = subject.query().filter(scan.type == "T1w", subject.demographics.gender == "male")
    assert _rows(query.view(subject.label)) == [("s2",)]
    assert query.one().label == "s2"
