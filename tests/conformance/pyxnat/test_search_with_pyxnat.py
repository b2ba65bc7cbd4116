"""pyxnat's other searches, unmodified: saved ones, templates, everything of a type, values of a field."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import pyxnat

from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site
from connectomedb.testing.sample_site import build_site

ROW = "nt:scores"
COLUMNS = ["nt:scores/SUBJECT_ID", "nt:scores/NEO_NEOFAC_A"]
OVER_40 = [("nt:scores/NEO_NEOFAC_A", ">", "40"), ("nt:scores/PROJECTS", "LIKE", "*HCP_Q1*"), "AND"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site of its own: these tests save searches on it."""
    folder = tmp_path_factory.mktemp("pyxnat") / "site"
    build_site(folder)
    with open_site(folder) as site:
        site.archive.add_user("other", "other-of-the-test")
        site.archive.grant("HCP_Q1", "other", "collaborator")
        with ServerThread(site) as running:
            yield running.url


@pytest.fixture
def cdb(server: str) -> Iterator[Any]:
    interface = pyxnat.Interface(server, "guest-reader", "reader-demo")
    yield interface
    for name in interface.manage.search.saved():
        interface.manage.search.delete(name)
    for name in interface.manage.search.saved_templates():
        interface.manage.search.delete_template(name)
    interface.disconnect()


@pytest.fixture
def other(server: str) -> Iterator[Any]:
    interface = pyxnat.Interface(server, "other", "other-of-the-test")
    yield interface
    interface.disconnect()


def test_a_search_is_saved_found_run_and_deleted(cdb: Any) -> None:
    search = cdb.manage.search
    search.save("mine", ROW, COLUMNS, OVER_40, description="100% agreeable")
    assert search.saved() == ["mine"]
    assert search.saved(with_description=True) == [("mine", "100% agreeable")]
    table = search.get("mine")
    assert len(table) == 4
    assert {"subject_id", "neo_neofac_a", "quarantine_status"} == set(table.headers())
    query = search.get("mine", "query")
    assert (query["row"], query["columns"], query["users"]) == (ROW, COLUMNS, ["guest-reader"])
    assert query["constraints"] == [
        ("nt:scores/PROJECTS", "LIKE", "%HCP_Q1%"),
        ("nt:scores/NEO_NEOFAC_A", ">", "40"),
        "AND",
    ]
    again = cdb.select(ROW, COLUMNS).where(query="mine")
    assert again.items() == cdb.select(ROW, COLUMNS).where(OVER_40).items()
    search.delete("mine")
    assert search.saved() == []


def test_sharing(cdb: Any, other: Any) -> None:
    cdb.manage.search.save("for_all", ROW, COLUMNS, OVER_40, sharing="public")
    cdb.manage.search.save("for_two", ROW, COLUMNS, OVER_40, sharing=["guest-reader", "other"])
    assert set(other.manage.search.saved()) == {"for_all", "for_two"}
    assert len(other.manage.search.get("for_all")) == 4
    with pytest.raises(pyxnat.core.errors.DatabaseError, match="not yours to delete"):
        other.manage.search.delete("for_all")
    with pytest.raises(pyxnat.core.errors.DatabaseError, match="is taken"):
        other.manage.search.save("for_all", ROW, COLUMNS, OVER_40)
    other.manage.search.delete("for_two")
    assert cdb.manage.search.saved() == ["for_all", "for_two"]


def test_templates(cdb: Any) -> None:
    search = cdb.manage.search
    condition = [("nt:scores/NEO_NEOFAC_A", ">", "low"), "AND"]
    search.save_template("above", ROW, COLUMNS, condition, description="above a value")
    assert search.saved_templates() == ["above"]
    assert search.saved() == []
    row, columns, constraints, _ = search.get_template("above")
    assert (row, columns) == (ROW, COLUMNS)
    assert constraints == [("nt:scores/NEO_NEOFAC_A", ">", "%(low)s"), "AND"]
    # notyet: pyxnat fills a template with `bytes % dict`, which Python 3 refuses for text keys.
    with pytest.raises(KeyError):
        search.use_template("above", {"low": "40"})
    text = search.get_template("above", as_xml=True).decode() % {"low": "40"}
    filled = pyxnat.core.search.query_from_xml(text.encode())["constraints"]
    assert len(cdb.select(ROW, COLUMNS).where(filled).items()) == 4
    search.delete_template("above")
    assert search.saved_templates() == []


def test_all_of_every_type_with_an_id(cdb: Any) -> None:
    for row, column in (
        ("xnat:subjectData", "xnat:subjectData/SUBJECT_ID"),
        ("xnat:projectData", "xnat:projectData/ID"),
        ("xnat:mrSessionData", "xnat:mrSessionData/SESSION_ID"),
        (ROW, "nt:scores/SUBJECT_ID"),
    ):
        assert len(cdb.select(row, [column]).all().items()) == (1 if row == "xnat:projectData" else 76)


def test_columns_asked_for_as_paths_keep_their_places(cdb: Any) -> None:
    columns = ["xnat:subjectData/SUBJECT_LABEL", "xnat:subjectData/PROJECT", "xnat:subjectData/GENDER"]
    table = cdb.select("xnat:subjectData", columns).all()
    assert list(table.headers()) == ["subject_label", "project", "gender"]
    assert {row[2] for row in table.items()} == {"M", "F"} or {row[2] for row in table.items()} == {
        "male",
        "female",
    }


def test_what_can_be_asked_for(cdb: Any) -> None:
    assert {"nt:scores", "xnat:subjectData", "xnat:mrSessionData"} <= set(cdb.inspect.datatypes())
    fields = cdb.inspect.datatypes("nt:scores", "NEO_*")
    assert sorted(fields) == [f"nt:scores/NEO_NEOFAC_{x}" for x in "ACENO"]
    values = cdb.inspect.field_values("nt:scores/NEO_NEOFAC_A")
    assert {"45", "28"} <= set(values)
    assert cdb.inspect.project_values() == ["HCP_Q1"]


def test_nested_conditions_in_any_order(cdb: Any) -> None:
    total = "nt:scores/CPW_IWRD_TOT"
    outside = [[(total, "<", "30"), (total, ">=", "35"), "OR"], "AND"]
    inside = [(total, ">=", "30"), (total, "<", "35"), "AND"]
    n = [len(cdb.select(ROW, COLUMNS).where(where).items()) for where in (outside, inside)]
    assert n == [50, 26]


def test_no_row_is_a_table_without_rows(cdb: Any) -> None:
    table = cdb.select(ROW, COLUMNS).where([("nt:scores/NEO_NEOFAC_A", ">", "1000"), "AND"])
    assert (len(table), table.items()) == (0, [])


def test_trouble_reaches_the_user_as_text(cdb: Any) -> None:
    errors = pyxnat.core.errors
    with pytest.raises(errors.DatabaseError, match="did you mean nt:scores"):
        cdb.select("nt:score", ["nt:score/SUBJECT_ID"]).all()
    with pytest.raises(errors.DatabaseError, match="is of type integer, 'many' is not"):
        cdb.select(ROW, COLUMNS).where([("nt:scores/NEO_NEOFAC_A", ">", "many"), "AND"])
