"""xnatpy's queries, unmodified: its own schema reader, its query builder, its reading of our answers."""

from __future__ import annotations

import datetime
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import xnat

pytestmark = pytest.mark.filterwarnings("ignore::Warning:xnat.*")


def _connected(url: str, *account: str) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the classes that it generates
        with xnat.connect(url, user=account[0], password=account[1], loglevel="ERROR") as connection:
            yield connection


@pytest.fixture(scope="module")
def reader(q1_server: str) -> Iterator[Any]:
    yield from _connected(q1_server, "guest-reader", "reader-demo")


@pytest.fixture(scope="module")
def admin(q1_server: str) -> Iterator[Any]:
    yield from _connected(q1_server, "admin", "admin-demo")


def test_a_table_of_scores(reader: Any) -> None:
    scores = reader.XNAT_CLASS_LOOKUP["nt:scores"]
    query = scores.query().filter((scores.NEO_NEOFAC_A > 40) & scores.PROJECTS.like("%HCP_Q1%"))
    query = query.view(scores.SUBJECT_ID, scores.NEO_NEOFAC_A)
    rows = query.tabulate_dict()
    assert list(rows[0]) == ["subject_id", "neo_neofac_a", "quarantine_status"]
    assert sorted(int(row["neo_neofac_a"]) for row in rows) == [41, 43, 45, 45]
    assert query.tabulate_csv().splitlines()[0] == "subject_id,neo_neofac_a,quarantine_status"
    frame = query.tabulate_pandas()
    assert frame["neo_neofac_a"].sum() == 174
    answer = json.loads(query.tabulate_json())["ResultSet"]
    assert (answer["totalRecords"], answer["rootElementName"]) == ("4", "nt:scores")


def test_either_and_both(reader: Any) -> None:
    scores = reader.XNAT_CLASS_LOOKUP["nt:scores"]
    total = scores.CPW_IWRD_TOT
    inside = scores.query().filter(total >= 30, total < 35).view(total).tabulate_dict()
    outside = scores.query().filter((total < 30) | (total >= 35)).view(total).tabulate_dict()
    assert (len(inside), len(outside)) == (26, 50)
    both = scores.query().filter(total >= 30).filter(total < 35).view(total).tabulate_dict()
    assert both == inside


def test_columns_by_path_have_the_keys_it_expects(reader: Any) -> None:
    session = reader.classes.MrSessionData
    (row,) = (
        session.query().filter(session.label == "100307_3T").view(session.label, session.date).tabulate_dict()
    )
    assert row == {
        "xnat_col_mrsessiondatalabel": "100307_3T",
        "date": "2012-08-01",
        "quarantine_status": "active",
    }
    day = datetime.date(2012, 8, 1)
    assert len(session.query().filter(session.date == day).view(session.date).tabulate_dict()) >= 1
    assert list(session.query().tabulate_dict()[0]) == [
        "session_id",
        "project",
        "subject_id",
        "quarantine_status",
    ]


def test_objects_from_a_query(admin: Any) -> None:
    session, subject = admin.classes.MrSessionData, admin.classes.SubjectData
    assert session.query().filter(session.label == "100307_3T").one().label == "100307_3T"
    assert subject.query().filter(subject.label == "100307").one().label == "100307"
    assert len(session.query().filter(session.date > datetime.date(2012, 1, 1)).all()) == 76
    assert subject.query().filter(subject.label == "nobody").one_or_none() is None


def test_an_object_of_a_project_that_is_not_read(reader: Any) -> None:
    """never: xnatpy builds the address from the owner project, which this account may not see; so on XNAT."""
    session = reader.classes.MrSessionData
    with pytest.raises(xnat.exceptions.XNATResponseError, match="404"):
        session.query().filter(session.label == "100307_3T").one()


def test_an_object_of_a_type_without_a_session_id(admin: Any) -> None:
    """notyet: xnatpy looks for `session_id`, which only sessions have; so on XNAT."""
    scores = admin.XNAT_CLASS_LOOKUP["nt:scores"]
    with pytest.raises(KeyError, match="session_id"):
        scores.query().filter(scores.label == "100307_NonToolbox").one()


def test_a_custom_variable_as_a_column_and_a_condition(reader: Any) -> None:
    field = xnat.search.CustomFieldSearchField("xnat:subjectData", "Visit")
    query = xnat.search.Query(reader.classes.SubjectData, reader, (field,), field == "2")
    assert query.tabulate_csv() == "xnat_subjectdata_field_map_visit,quarantine_status\n"


def test_no_row_is_no_trouble(reader: Any) -> None:
    scores = reader.XNAT_CLASS_LOOKUP["nt:scores"]
    query = scores.query().filter(scores.NEO_NEOFAC_A > 1000).view(scores.SUBJECT_ID, scores.NEO_NEOFAC_A)
    assert query.tabulate_dict() == []
