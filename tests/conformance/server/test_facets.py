"""Facets over the wire and through our own face."""

from __future__ import annotations

from collections import Counter

import httpx2
import pytest
from tests.conformance.server.test_search import document

from connectomedb.client.connection import connect
from connectomedb.errors import QueryError
from connectomedb.testing.sample_site import ACCOUNTS

FACETS = "/xapi/connectomedb/facets"
PASSWORDS = {account.login: account.password for account in ACCOUNTS}


def test_a_facet_is_a_result_table(reader: httpx2.Client) -> None:
    answer = reader.post(FACETS, params={"field": "NEOFAC_A", "kind": "missing"}, content=document("LABEL"))
    assert answer.status_code == 200
    result = answer.json()["ResultSet"]
    assert [column["key"] for column in result["Columns"]] == ["neo_neofac_a", "n_rows"]
    assert [row["n_rows"] for row in result["Result"]] == ["74", "2"]
    csv = reader.post(
        FACETS,
        params={"field": "NEOFAC_A", "kind": "histogram", "bins": "0,40,50", "format": "csv"},
        content=document("LABEL"),
    )
    # The last bin is closed, so 50 itself would be in it.
    assert csv.text == "from,to,n_rows\n0.0,40.0,64\n40.0,50.0,10\n"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "name the field"),
        ({"field": "NEOFAC_A", "kind": "pie"}, "there are: values, histogram, missing, cross"),
        ({"field": "NEOFAC_A", "kind": "histogram", "bins": "many"}, "no count"),
        ({"field": "NEOFAC_A", "kind": "histogram", "bins": "0"}, "there can be"),
        ({"field": "NEOFAC_A", "kind": "cross"}, "second one"),
        ({"field": "NEOFAK_A"}, "did you mean NEOFAC_A"),
        ({"field": "xnat:projectData/ID"}, "does not connect"),
    ],
)
def test_a_wrong_facet_is_refused(reader: httpx2.Client, params: dict[str, str], message: str) -> None:
    answer = reader.post(FACETS, params=params, content=document("LABEL"))
    assert answer.status_code == 400
    assert message in answer.text


def test_a_stranger_counts_nothing(q1_server: str) -> None:
    with httpx2.Client(base_url=q1_server) as nobody:
        answer = nobody.post(FACETS, params={"field": "NEOFAC_A"}, content=document("LABEL"))
    assert answer.status_code == 401


def test_facets_through_our_own_face(q1_server: str) -> None:
    with connect(q1_server, "guest-reader", PASSWORDS["guest-reader"]) as server:
        project = server.project("HCP_Q1")
        genders = project.facet("xnat:subjectData/GENDER")
        table = project.search("", ("xnat:subjectData/GENDER",))
        assert {row[0]: row[1] for row in genders.rows} == Counter(table.column(table.keys[1]))
        ages = project.facet("NEOFAC_A", "NEOFAC_A is not null", kind="histogram", bins=4)
        assert len(ages) == 4
        assert sum(ages.column("n_rows")) == 74  # type: ignore[arg-type]  # counts are integers
        crossed = project.facet("NEOFAC_A", kind="cross", against="xnat:subjectData/GENDER")
        assert sum(crossed.column("n_rows")) == 76  # type: ignore[arg-type]  # counts are integers
        edges = project.facet("NEOFAC_A", kind="histogram", bins=(0, 40, 50))
        assert edges.column("n_rows") == (64, 10)
        with pytest.raises(QueryError, match="did you mean NEOFAC_A"):
            project.facet("NEOFAK_A")
