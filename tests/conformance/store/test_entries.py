"""Conditions on what repeats inside items, and inside what repeats: on scans' parameters and files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from tests.conformance.store.documents import TREE_SCHEMA

from connectomedb.errors import BadConstraint, UnknownField
from connectomedb.schema.model import Item, Value
from connectomedb.schema.registry import load_types
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, Method, SearchField, SearchQuery
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.vocabulary.records import Principal

MR, QC, TREE, SUBJECT = "xnat:mrSessionData", "xnat:qcManualAssessorData", "deep:treeData", "xnat:subjectData"
ADMIN = Principal("admin", 1, is_admin=True)


_NUMBERS = count(1)


def _scan(
    scan_id: str, kind: str = "xnat:mrScanData", *, tr: float = 0, files: str = "", **params: str
) -> Item:
    values: dict[str, Value] = {"ID": scan_id, "type": "T1w" if scan_id == "1" else "bold"}
    added = tuple(
        Item("xnat:mrScanData_parameters_addParam", {"name": name, "addParam": text})
        for name, text in params.items()
    )
    children = {"parameters/addParam": added} if added else {}
    if files:
        address = f"{files}-{next(_NUMBERS)}.xml"  # one of a kind on the site
        resource = Item("xnat:resourceCatalog", {"label": files, "URI": address}, {})
        children["file"] = (resource,)
    if tr:
        values["parameters/tr"] = tr
    return Item(kind, values, children)


def _tree(label: str, *branches: tuple[str, float]) -> Item:
    parts = tuple(
        Item("deep:treeData_branch", {"wood": wood}, {"twigs/twig": (Item("x", {"length": length}),)})
        for wood, length in branches
    )
    return Item(TREE, {"label": label, "subject_ID": "s1"}, {"branch": parts})


@pytest.fixture(scope="module")
def site(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("types")
    (folder / "deep").mkdir()
    (folder / "deep" / "deep.xsd").write_bytes(TREE_SCHEMA)
    archive = Archive(open_engine(database), load_types([folder])).create()
    archive.add_user("admin", "admin-of-entries", is_admin=True)
    archive.add_project("P", insert_user="admin")
    sessions = {
        "a": (_scan("1", tr=2.4, coil="head", shim="fine"), _scan("2", tr=0.7, files="NIFTI", coil="neck")),
        "b": (_scan("1", "xnat:otherDicomScanData", files="NIFTI"), _scan("2", coil="body")),
        "c": (),
    }
    items = [Item(SUBJECT, {"ID": "S1", "label": "s1"})]
    items += [
        Item(MR, {"ID": f"E_{name}", "label": name, "subject_ID": "s1"}, {"scans/scan": scans})
        for name, scans in sessions.items()
    ]
    archive.store_items(items, user="admin", project="P")
    check = Item(
        QC,
        {"label": "qc", "imageSession_ID": "E_a", "pass": "1"},
        {
            "in/file": (Item("xnat:resource", {"label": "read", "URI": "read.txt"}),),
            "out/file": (Item("xnat:resource", {"label": "made", "URI": "made.txt"}),),
        },
    )
    trees = [_tree("oak", ("hard", 1.5), ("soft", 9.0)), _tree("fir", ("soft", 1.5)), _tree("bare")]
    archive.store_items([check, *trees], user="admin", project="P")
    yield archive
    archive.close()


def _labels(site: Archive, root: str, *conditions: tuple[str, str, str], method: Method = "AND") -> list[str]:
    where = CriteriaSet(method, tuple(Criterion(FieldRef(root, n), op, v) for n, op, v in conditions))
    query = SearchQuery(root, (SearchField(FieldRef(root, "LABEL")),), where)
    return sorted(str(row[0]) for row in site.search(query, ADMIN).rows)


@pytest.mark.parametrize(
    ("path", "operator", "value", "found"),
    [
        ("scans/scan/type", "=", "bold", "ab"),
        ("scans/scan", "=", "2", "ab"),
        ("scans/scan[@xsi:type=xnat:mrScanData]/type", "=", "T1w", "a"),
        ("scans/scan[@xsi:type=xnat:otherDicomScanData]/type", "=", "bold", ""),
        ("scans/scan/parameters/tr", ">", "1", "a"),
        ("scans/scan[type=bold]/parameters/tr", ">", "1", ""),
        ("scans/scan[type=bold]/parameters/tr", "<", "1", "a"),
        ("scans/scan[type=bold]/parameters/tr", "IS NULL", "", "bc"),
        ("scans/scan/parameters/addParam/name", "=", "coil", "ab"),
        ("scans/scan/parameters/addParam", "=", "body", "b"),
        ("scans/scan/parameters/addParam[name=coil]", "LIKE", "%e%", "a"),
        ("scans/scan[ID=1]/parameters/addParam[name=coil]", "=", "neck", ""),
        ("scans/scan[ID=2]/parameters/addParam[@name='coil']/addParam", "=", "neck", "a"),
        ("scans/scan/parameters/addParam[name=shim]", "IS NULL", "", "bc"),
        ("scans/scan/parameters/addParam[name=shim]", "IS NOT NULL", "", "a"),
        ("scans/scan/file/label", "=", "NIFTI", "ab"),
        ("scans/scan[@xsi:type=xnat:mrScanData]/file/label", "=", "NIFTI", "a"),
        ("scans/scan[type=T1w]/file[@xsi:type=xnat:resourceCatalog]/URI", "LIKE", "nifti%", "b"),
        ("scans/scan/file/URI", "IS NULL", "", "c"),
    ],
)
def test_scans_of_sessions(site: Archive, path: str, operator: str, value: str, found: str) -> None:
    assert _labels(site, MR, (path, operator, value)) == list(found)


def test_what_is_held_at_another_place_is_another_thing(site: Archive) -> None:
    assert _labels(site, QC, ("in/file/label", "=", "read")) == ["qc"]
    assert _labels(site, QC, ("out/file/label", "=", "read")) == []
    assert _labels(site, QC, ("out/file/URI", "=", "made.txt"), ("in/file/URI", "=", "read.txt")) == ["qc"]


def test_entries_inside_entries_are_judged_with_what_is_around_them(site: Archive) -> None:
    long = "branch/twigs/twig/length"
    assert _labels(site, TREE, (long, ">", "5")) == ["oak"]
    assert _labels(site, TREE, ("branch[wood=soft]/twigs/twig/length", "<", "5")) == ["fir"]
    assert _labels(site, TREE, ("branch[wood=hard]/twigs/twig[length=9.0]/length", "IS NOT NULL", "")) == []
    assert _labels(site, TREE, ("branch[wood=soft]/twigs/twig[length=9.0]/length", ">", "1")) == ["oak"]
    assert _labels(site, TREE, (long, "IS NULL", "")) == ["bare"]


def test_what_does_not_lead_there_is_refused(site: Archive) -> None:
    with pytest.raises(BadConstraint, match="have no colour; there are: wood"):
        _labels(site, TREE, ("branch[colour=red]/wood", "=", "soft"))
    with pytest.raises(UnknownField):
        _labels(site, MR, ("scans/scan/parameters/nothing", "=", "1"))
