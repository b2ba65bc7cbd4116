"""The calls of the 2013 tutorial through unmodified pyxnat, compared by label with the printed answers."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import pyxnat

SEED: dict[str, Any] = json.loads((files("connectomedb.testing") / "seed.json").read_text("utf-8"))
ANSWERS: dict[str, Any] = SEED["reference_answers"]
IN_Q1 = ("nt:scores/PROJECTS", "LIKE", "%HCP_Q1%")


@pytest.fixture(scope="module")
def cdb(demo_server: str) -> Iterator[Any]:
    interface = pyxnat.Interface(demo_server, "guest-reader", "reader-demo")
    yield interface
    interface.disconnect()


@pytest.fixture(scope="module")
def label_of(cdb: Any) -> dict[str, str]:
    rows = cdb.get("/data/projects/HCP_Q1/subjects?columns=ID,label&format=json").json()["ResultSet"][
        "Result"
    ]
    return {row["ID"]: row["label"] for row in rows}


def test_an_ordinary_account_sees_one_project(cdb: Any) -> None:
    assert cdb.select.projects().get() == ["HCP_Q1"]
    assert [p.id() for p in cdb.select.projects()] == ["HCP_Q1"]


def test_the_subjects_come_in_the_printed_order(cdb: Any, label_of: dict[str, str]) -> None:
    ids = cdb.select.project("HCP_Q1").subjects().get()
    assert [label_of[i] for i in ids] == ANSWERS["subjects_in_order"]


def test_labels_through_the_handles(cdb: Any) -> None:
    subjects = cdb.select.project("HCP_Q1").subjects()
    assert [s.label() for s in subjects[:3]] == ANSWERS["subjects_in_order"][:3]
    assert cdb.select.project("HCP_Q1").subject("ConnectomeDB_S00230").label() == "100307"


def test_the_three_experiments_of_100307(cdb: Any) -> None:
    subject = cdb.select.project("HCP_Q1").subject("100307")
    assert [e.label() for e in subject.experiments()] == ANSWERS["experiments_of_100307_in_order"]


def test_the_score_document(cdb: Any) -> None:
    scores = cdb.select.project("HCP_Q1").subject("100307").experiment("100307_NonToolbox")
    document = scores.get()
    assert document.startswith(
        b'<?xml version="1.0" encoding="UTF-8"?>\n<nt:NTScores ID="ConnectomeDB_E00299"'
    )
    assert scores.xpath("nt:ER40/nt:ER40_CR")[0].text == "39"
    block = [(e.tag.split("}")[1], e.text) for e in scores.xpath("nt:ER40/*")]
    assert block == [tuple(pair) for pair in ANSWERS["er40_of_100307_in_order"]]


def test_the_experiment_is_found_from_the_project(cdb: Any) -> None:
    scores = cdb.select.project("HCP_Q1").experiment("100307_NonToolbox")
    assert scores.id() == "ConnectomeDB_E00299"


def test_the_neo_table_by_label(cdb: Any, label_of: dict[str, str]) -> None:
    fields = [f"nt:scores/{f}" for f in ("SUBJECT_ID", *(f"NEO_NEOFAC_{x}" for x in "AOCNE"))]
    table = cdb.select("nt:scores", fields).where([IN_Q1])
    assert list(table.headers()) == ["subject_id", *(f"neo_neofac_{x}" for x in "aocne")]
    assert len(table.items()) == 76
    by_label = {
        label_of[row[0]]: dict(zip(list(table.headers())[1:], row[1:], strict=True)) for row in table.items()
    }
    for label, expected in ANSWERS["neo_by_label"].items():
        assert by_label[label] == expected


def test_the_neo_rows_as_printed_when_asked_for_in_that_order(cdb: Any) -> None:
    fields = [f"nt:scores/{f}" for f in ("SUBJECT_ID", *(f"NEO_NEOFAC_{x}" for x in "ACENO"))]
    table = cdb.select("nt:scores", fields).where([IN_Q1])
    assert list(table.headers()) == ANSWERS["neo_search"]["headers"]
    assert [list(row) for row in table.items()[:2]] == ANSWERS["neo_search"]["first_rows"]


@pytest.mark.parametrize(
    ("fields", "conditions", "key"),
    [
        (["NEO_NEOFAC_A"], [("nt:scores/NEO_NEOFAC_A", ">", "40")], "agreeableness_over_40"),
        (
            ["CPW_IWRD_TOT"],
            [("nt:scores/CPW_IWRD_TOT", ">=", "30"), ("nt:scores/CPW_IWRD_TOT", "<", "35")],
            "cpw_30_to_34",
        ),
        (
            ["CPW_IWRD_TOT"],
            [[("nt:scores/CPW_IWRD_TOT", "<", "30"), ("nt:scores/CPW_IWRD_TOT", ">=", "35"), "OR"]],
            "cpw_below_30_or_35_up",
        ),
    ],
)
def test_the_cohorts(
    cdb: Any, label_of: dict[str, str], fields: list[str], conditions: list[Any], key: str
) -> None:
    columns = [f"nt:scores/{f}" for f in ("SUBJECT_ID", *fields)]
    table = cdb.select("nt:scores", columns).where([IN_Q1, *conditions, "AND"])
    expected = ANSWERS[key].get("labels_in_order") or ANSWERS[key]["server_order"]
    assert [label_of[row[0]] for row in table.items()] == expected


def test_everything_of_a_type(cdb: Any) -> None:
    assert len(cdb.select("nt:scores").all().items()) == 76


def test_the_names_of_fields_can_be_listed(cdb: Any) -> None:
    assert "nt:scores" in cdb.inspect.datatypes()
    fields = cdb.inspect.datatypes("nt:scores")
    assert {"nt:scores/PROJECTS", "nt:scores/NEO_NEOFAC_A", "nt:scores/SUBJECT_ID"} <= set(fields)


def test_completeness_of_files_without_any_extension_of_the_client(cdb: Any) -> None:
    table = cdb.select("nt:scores", ["nt:scores/SUBJECT_ID", "nt:scores/FILE_COUNT=tfMRI_MOTOR_LR"]).where(
        [IN_Q1, ("nt:scores/FILE_COUNT=tfMRI_MOTOR_LR", ">", "0"), "AND"]
    )
    assert len(table.items()) == 71


def test_a_wrong_password_says_so(q1_server: str) -> None:
    wrong = pyxnat.Interface(q1_server, "guest-reader", "wrong")
    response = wrong.get("/data/projects?format=csv")
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert not response.text.startswith("<")


def test_a_misspelt_field_is_refused_with_the_nearest(cdb: Any) -> None:
    with pytest.raises(Exception, match="NEO_NEOFAC_A"):
        cdb.select("nt:scores", ["nt:scores/NEO_NEOFAK_A"]).where([IN_Q1])
    with pytest.raises(Exception, match="NEO_NEOFAC_A"):
        cdb.select("nt:scores", ["nt:scores/SUBJECT_ID"]).where([("nt:scores/NEO_NEOFAK_A", ">", "40")])
