"""A wrong question, asked of our server through our client: the error names the thing and the nearest."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectomedb.client.connection import connect
from connectomedb.client.interface import Interface
from connectomedb.errors import (
    BadConstraint,
    NoSuchProject,
    NoSuchSubject,
    QueryError,
    UnknownDataType,
    UnknownField,
)

READER = ("guest-reader", "reader-demo")


def test_a_misspelt_field(q1_server: str) -> None:
    with connect(q1_server, *READER) as server:
        with pytest.raises(UnknownField, match="did you mean NEOFAC_A") as caught:
            server.project("HCP_Q1").search("NEOFAK_A > 40")
        assert caught.value.nearest[0] == "NEOFAC_A"
        with pytest.raises(UnknownField):
            server.project("HCP_Q1").search("NEOFAC_A > 40", columns=["AGEE"])


def test_a_misspelt_type(q1_server: str) -> None:
    with Interface(q1_server, *READER) as cdb, pytest.raises(UnknownDataType, match="nt:scores") as caught:
        cdb.select("nt:score", ["nt:score/SUBJECT_ID"]).all()
    assert caught.value.nearest == ("nt:scores",)


def test_an_unknown_operator_and_a_wrong_value(q1_server: str) -> None:
    with Interface(q1_server, *READER) as cdb:
        scores = cdb.select("nt:scores", ["nt:scores/SUBJECT_ID"])
        with pytest.raises(BadConstraint, match="there are: ="):
            scores.where([("nt:scores/AGE", "near", 30)])
        with pytest.raises(QueryError, match="'old' is not"):
            scores.where([("nt:scores/AGE", ">", "old")])


def test_a_misspelt_package_is_no_empty_answer(demo_server: str, tmp_path: Path) -> None:
    with connect(demo_server, *READER) as server:
        q1 = server.project("HCP_Q1")
        with pytest.raises(QueryError, match="'tfMRI_MOTOR_preprok'; there is tfMRI_MOTOR_preproc"):
            q1.plan(["100307"], tmp_path, package="tfMRI_MOTOR_preprok")
        # These three are in the database and not on the mirror: none is the right answer.
        plan = q1.plan(["230926"], tmp_path, package="tfMRI_MOTOR_preproc")
        assert plan.absent_subjects == ("230926",)
        assert q1.download(plan).counts == {}


def test_what_is_not_there(q1_server: str) -> None:
    with Interface(q1_server, *READER) as cdb:
        assert not cdb.select.project("HCP_Q9").exists()
        with pytest.raises(NoSuchProject, match="HCP_Q9"):
            cdb.select.project("HCP_Q9").subjects().get()
        with pytest.raises(NoSuchSubject, match="999999"):
            cdb.select.project("HCP_Q1").subject("999999").id()
