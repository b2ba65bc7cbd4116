"""Any document of any type that is stored comes back as it was, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from tests.conformance.store.documents import TREE_SCHEMA, documents

from connectomedb.errors import LabelTaken, NotValid
from connectomedb.schema.documents import read_document, write_document
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("admin", 1, True)


@pytest.fixture(scope="module")
def site(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An empty project with one subject, and a type whose parts repeat inside each other."""
    folder: Path = tmp_path_factory.mktemp("types")
    (folder / "deep").mkdir()
    (folder / "deep" / "deep.xsd").write_bytes(TREE_SCHEMA)
    archive = Archive(open_engine(database), load_types([folder])).create()
    archive.add_project("P", insert_user="admin")
    archive.add_project("Q", insert_user="admin")
    archive.store_items([Item("xnat:subjectData", {"ID": "S", "label": "s"})], user="admin", project="P")
    yield archive
    archive.close()


def _stored_types(archive: Archive) -> list[str]:
    layout = t.Layout(archive.types)
    return [
        one.data_type.xsi_type
        for one in layout.all()
        if one.family in ("project", "subject", "experiment") and "imagesession_id" not in one.columns
    ]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_a_document_comes_back_as_it_was_stored(site: Archive, data: st.DataObject) -> None:
    layout = t.Layout(site.types)
    xsi_type = data.draw(st.sampled_from(_stored_types(site)))
    document = data.draw(documents(layout, xsi_type, "P", "S"))
    site.store_items([document], user="admin", project="P")
    item_id = document.text("ID")
    if layout.family(xsi_type) == "project":
        assert site.load_project_item(item_id, ADMIN) == document
    else:
        assert site.load_item(item_id, ADMIN, contents="experiments") == document


def _session(number: str, n_scans: int) -> Item:
    scans = tuple(
        Item(
            "xnat:mrScanData",
            {"ID": str(n), "type": "T1w", "parameters/tr": 2400.0},
            {"file": (Item("xnat:resourceCatalog", {"label": "NIFTI", "URI": f"{number}/{n}.xml"}),)}
            if "file" in HELD
            else {},
        )
        for n in range(1, n_scans + 1)
    )
    return Item(
        "xnat:mrSessionData",
        {"ID": f"E{number}", "label": f"mr{number}", "project": "P", "subject_ID": "S"},
        {
            "scans/scan": scans,
            "resources/resource": (
                Item("xnat:resourceCatalog", {"label": "DICOM", "URI": f"{number}/d.xml"}),
                Item("xnat:resource", {"URI": f"{number}/e.xml"}),
            ),
            "assessors/assessor": (
                Item(
                    "xnat:qcManualAssessorData",
                    {
                        "ID": f"A{number}",
                        "label": f"qc{number}",
                        "project": "P",
                        "imageSession_ID": f"E{number}",
                        "pass": "1",
                    },
                ),
            ),
        },
    )


HELD = t.Layout(load_types()).typed("xnat:mrScanData").held


def test_parts_are_items_with_an_owner_and_a_root(site: Archive) -> None:
    site.store_items([_session("1", 2)], user="admin", project="P")
    i = t.item.c
    with site.engine.connect() as connection:
        pks = dict(connection.execute(select(i.id, i.pk)).all())
        rows = {row.id: row for row in connection.execute(select(t.item).where(i.subject_pk == pks["S"]))}
    scan, resource, assessor = rows["E1/scans/2"], rows["E1/resources/DICOM"], rows["A1"]
    assert (scan.family, scan.owner_pk, scan.root_pk, scan.entry) == ("scan", pks["E1"], pks["E1"], 2)
    assert (resource.family, resource.label, resource.place) == ("resource", "DICOM", "resources/resource")
    assert (assessor.family, assessor.owner_pk, assessor.root_pk) == ("experiment", pks["E1"], pks["A1"])
    assert {row.projects_text for row in (scan, resource, assessor)} == {"<P>"}
    numbered = next(row for row in rows.values() if row.owner_pk == pks["E1"] and row.label == "")
    assert numbered.id == f"E1/resources/{numbered.number}"
    assert site.load_item("E1/scans/2", ADMIN).text("type") == "T1w"


def test_more_items_cost_no_more_statements(site: Archive) -> None:
    def count(session: Item) -> tuple[int, int]:
        seen: list[str] = []

        def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        event.listen(site.engine, "before_cursor_execute", note)
        try:
            site.store_items([session], user="admin", project="P")
            n_written = len(seen)
            site.load_item(session.text("ID"), ADMIN)
            return n_written, len(seen) - n_written
        finally:
            event.remove(site.engine, "before_cursor_execute", note)

    assert count(_session("2", 2)) == count(_session("3", 200))


def test_a_reader_sees_the_assessors_that_they_may_see(site: Archive) -> None:
    reader = site.add_user("reader-of-q", "reader-of-the-test")
    site.grant("Q", "reader-of-q", "collaborator")
    site.store_items([_session("4", 1)], user="admin", project="P")
    site.share("E4", "Q", "shared4", ADMIN)
    assert "assessors/assessor" not in site.load_item("E4", reader).children
    assert site.load_item("E4/scans/1", reader).text("ID") == "1"
    site.share("A4", "Q", "shared4_qc", ADMIN)
    (assessor,) = site.load_item("E4", reader).children["assessors/assessor"]
    assert assessor.text("ID") == "A4"


@pytest.mark.parametrize(
    ("children", "reason"),
    [
        ({"scans/scan": [("xnat:mrScanData", {"ID": "1"})] * 2}, "'1' stands there twice"),
        ({"scans/scan": [("xnat:imageScanData", {"ID": "1"})]}, "say with xsi:type which kind"),
        ({"scans/scan": [("xnat:mrScanData", {"ID": "a/b"})]}, "no / and no control"),
        ({"sharing/share": [("xnat:experimentData_share", {"project": "Q", "colour": "red"})]}, "colour"),
        ({"nowhere/thing": [("xnat:mrScanData", {"ID": "1"})]}, "no place for nowhere/thing"),
    ],
)
def test_parts_that_cannot_be_stored_are_refused(
    site: Archive, children: dict[str, list[tuple[str, dict[str, str]]]], reason: str
) -> None:
    inside = {path: tuple(Item(kind, values) for kind, values in some) for path, some in children.items()}
    session = Item("xnat:mrSessionData", {"label": "refused", "subject_ID": "s"}, inside)
    with pytest.raises(NotValid, match=reason):
        site.store_items([session], user="admin", project="P")


def test_labels_are_told_apart_across_nested_documents(site: Archive) -> None:
    session = _session("9", 1)
    (assessor,) = session.children["assessors/assessor"]
    twin = Item(assessor.xsi_type, {**assessor.values, "label": "mr9"})
    both = Item(session.xsi_type, session.values, {**session.children, "assessors/assessor": (twin,)})
    with pytest.raises(LabelTaken, match="twice"):
        site.store_items([both], user="admin", project="P")


def test_what_a_share_says_is_kept(site: Archive) -> None:
    share = Item("xnat:projectParticipant", {"project": "Q", "label": "sq", "group": "control"})
    person = Item(
        "xnat:subjectData", {"ID": "S7", "label": "s7", "project": "P"}, {"sharing/share": (share,)}
    )
    site.store_items([person], user="admin", project="P")
    assert site.load_item("S7", ADMIN) == person


def test_a_written_session_reads_as_it_was(site: Archive) -> None:
    site.store_items([_session("5", 3)], user="admin", project="P")
    loaded = site.load_item("E5", ADMIN)
    assert read_document(write_document(loaded, site.types), site.types) == loaded
