"""A value that its schema wants one of a kind: refused by name on every way in, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from connectomedb.errors import ImportRefused, ValueTaken
from connectomedb.schema.model import Item
from connectomedb.schema.registry import load_types
from connectomedb.store.archive import Archive
from connectomedb.store.bulk import BulkRow
from connectomedb.store.engine import open_engine
from connectomedb.store.ingest import TableOptions, import_table, import_xml
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("admin", 1, True)
# `only:data` has a barcode that is one of a kind, and `only:more` inherits it.
SCHEMA = b"""<?xml version="1.0" encoding="UTF-8"?>
<xs:schema targetNamespace="http://example.org/only" xmlns:only="http://example.org/only"
  xmlns:xnat="http://nrg.wustl.edu/xnat" xmlns:xdat="http://nrg.wustl.edu/xdat"
  xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="Only" type="only:data"/><xs:element name="More" type="only:more"/>
<xs:complexType name="data"><xs:complexContent><xs:extension base="xnat:subjectAssessorData"><xs:sequence>
  <xs:element name="barcode" type="xs:string" minOccurs="0">
    <xs:annotation><xs:appinfo><xdat:field unique="true"/></xs:appinfo></xs:annotation></xs:element>
  <xs:element name="shelf" type="xs:string" minOccurs="0"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="more"><xs:complexContent><xs:extension base="only:data"><xs:sequence>
  <xs:element name="depth" type="xs:integer" minOccurs="0"/>
</xs:sequence></xs:extension></xs:complexContent></xs:complexType>
</xs:schema>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "types" / "only").mkdir(parents=True)
    (tmp_path / "types" / "only" / "only.xsd").write_bytes(SCHEMA)
    return tmp_path / "types"


@pytest.fixture
def archive(fresh_database: str, folder: Path) -> Iterator[Archive]:
    """One subject and one tube whose barcode is A1; synthetic."""
    made = Archive(open_engine(fresh_database), load_types([folder])).create()
    made.add_project("P", insert_user="admin")
    made.store_items(
        [Item("xnat:subjectData", {"ID": "S", "label": "s"}), tube("T1", "A1", shelf="low")],
        user="admin",
        project="P",
    )
    yield made
    made.close()


def tube(item_id: str, barcode: str = "", kind: str = "only:data", **more: str) -> Item:
    said = {"barcode": barcode} if barcode else {}
    return Item(kind, {"ID": item_id, "label": item_id.lower(), "subject_ID": "S", **said, **more})


def n_tubes(archive: Archive) -> int:
    return len(archive.listing("experiments", ADMIN, project="P"))


@pytest.mark.parametrize("kind", ["only:data", "only:more"])
def test_storing(archive: Archive, kind: str) -> None:
    with pytest.raises(ValueTaken, match="T2: barcode is 'A1', which T1 has already"):
        archive.store_items([tube("T0"), tube("T2", "A1", kind)], user="admin", project="P")
    with pytest.raises(ValueTaken, match="T3: barcode is 'B', which T2 has already"):
        archive.store_items([tube("T2", "B"), tube("T3", "B", kind)], user="admin", project="P")
    assert n_tubes(archive) == 1
    archive.store_items([tube("T2", "a1", kind), tube("T3"), tube("T4")], user="admin", project="P")
    archive.delete_item("T1", ADMIN)
    archive.store_items([tube("T5", "A1", kind)], user="admin", project="P")
    assert archive.examine() == ()


def test_changing(archive: Archive) -> None:
    archive.store_items([tube("T2", "B2")], user="admin", project="P")
    for change in (archive.merge_item, archive.replace_item):
        with pytest.raises(ValueTaken, match="T2: barcode is 'A1', which T1 has already"):
            change("T2", Item("only:data", {"barcode": "A1"}), ADMIN)
    assert archive.load_item("T2", ADMIN).text("barcode") == "B2"
    archive.merge_item("T1", Item("only:data", {"barcode": "A1", "shelf": "high"}), ADMIN)
    archive.merge_item("T1", Item("only:data", {"barcode": "A2"}), ADMIN)
    archive.merge_item("T2", Item("only:data", {"barcode": "A1"}), ADMIN)


def test_rows_in_bulk(archive: Archive) -> None:
    paths = ("shelf", "barcode")
    for barcodes in (("C1", "A1"), ("C1", "C1")):
        rows = [BulkRow(f"b{n}", "P", ("x", code), "s") for n, code in enumerate(barcodes)]
        with pytest.raises(ValueTaken, match=f"barcode is '{barcodes[1]}'"):
            archive.load_rows("only:more", paths, rows, user="admin")
    assert n_tubes(archive) == 1
    rows = [BulkRow(f"b{n}", "P", ("x", None if n % 2 else f"C{n}"), "s") for n in range(8)]
    assert archive.load_rows("only:more", paths, rows, user="admin") == 8
    # Where no such column is loaded, nothing is asked.
    assert archive.load_rows("only:data", ("shelf",), [BulkRow("z", "P", ("y",), "s")], user="admin") == 1


def test_imports(archive: Archive, tmp_path: Path) -> None:
    table = tmp_path / "tubes.csv"
    table.write_text("Subject,barcode,n\ns,N1,1\ns,A1,2\ns,N2,3\n")
    options = TableOptions("P", label="tube{n}", skip=("n",))
    report = import_table(archive, table, options, who=ADMIN, xsi_type="only:data", keep="rows")
    (refused,) = report.refused
    assert (report.n_stored, refused.line) == (2, 3)
    assert "barcode is 'A1', which T1 has already" in refused.reason
    document = (
        '<only:Only xmlns:only="http://example.org/only" xmlns:xnat="http://nrg.wustl.edu/xnat" label="{0}">'
        "<xnat:subject_ID>s</xnat:subject_ID><only:barcode>{1}</only:barcode></only:Only>"
    )
    for name, barcode in (("d1", "X1"), ("d2", "A1"), ("d3", "X1")):
        (tmp_path / f"{name}.xml").write_text(document.format(name, barcode))
    with pytest.raises(ImportRefused) as caught:
        import_xml(archive, [tmp_path / f"d{n}.xml" for n in (1, 2, 3)], project="P", who=ADMIN)
    said = {Path(r.file).name: r.reason for r in caught.value.report.refused}
    assert set(said) == {"d2.xml", "d3.xml"}
    assert "which T1 has already" in said["d2.xml"]


def test_running_titles_aliases_and_addresses_of_resources(archive: Archive) -> None:
    """What XNAT's own types want one of a kind."""
    archive.merge_item("P", Item("xnat:projectData", {"secondary_ID": "Running"}), ADMIN)
    with pytest.raises(ValueTaken, match="Q: secondary_ID is 'Running', which P has"):
        archive.store_items([Item("xnat:projectData", {"ID": "Q", "secondary_ID": "Running"})], user="admin")

    def project(name: str, alias: str) -> Item:
        entry = Item("xnat:projectData_alias", {"alias": alias})
        return Item("xnat:projectData", {"ID": name}, {"aliases/alias": (entry,)})

    archive.store_items([project("A", "first")], user="admin")
    with pytest.raises(ValueTaken, match=r"B: .*alias is 'first', which A has already"):
        archive.store_items([project("B", "first")], user="admin")

    def session(number: int, uri: str, kind: str) -> Item:
        resource = Item(kind, {"label": "R", "URI": uri})
        values = {"ID": f"E{number}", "label": f"e{number}", "subject_ID": "S"}
        return Item("xnat:mrSessionData", values, {"resources/resource": (resource,)})

    archive.store_items([session(1, "/data/1", "xnat:resource")], user="admin", project="P")
    with pytest.raises(ValueTaken, match="E2/resources/R: URI is '/data/1', which E1/resources/R has"):
        archive.store_items([session(2, "/data/1", "xnat:resourceCatalog")], user="admin", project="P")


def test_two_at_once_store_it_once(archive: Archive) -> None:
    outcomes: list[str] = []
    barrier = threading.Barrier(4)

    def work(number: int) -> None:
        barrier.wait()
        try:
            archive.store_items([tube(f"R{number}", "RACE")], user="admin", project="P")
            outcomes.append("stored")
        except ValueTaken:
            outcomes.append("refused")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 3 + ["stored"]


def test_what_was_there_before_the_schema_said_so(fresh_database: str, folder: Path) -> None:
    schema = folder / "only" / "only.xsd"
    schema.write_bytes(SCHEMA.replace(b'unique="true"', b'unique="false"'))
    before = Archive(open_engine(fresh_database), load_types([folder])).create()
    before.add_project("P", insert_user="admin")
    person = Item("xnat:subjectData", {"ID": "S", "label": "s"})
    before.store_items([person, tube("T1", "A"), tube("T2", "A")], user="admin", project="P")
    before.close()
    schema.write_bytes(SCHEMA)
    archive = Archive(open_engine(fresh_database), load_types([folder])).open()
    (problem,) = archive.examine()
    assert (problem.check, "T1, T2 have it" in problem.said) == ("unique", True)
    assert "t_only_data_by_barcode" in {i["name"] for i in inspect(archive.engine).get_indexes("t_only_data")}
    archive.merge_item("T2", Item("only:data", {"barcode": "B"}), ADMIN)
    assert archive.examine() == ()
    with archive.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM t_only_data")) == 2
    archive.close()
