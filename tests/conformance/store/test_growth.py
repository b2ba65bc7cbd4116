"""Wide types, and types that change while they have values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import inspect

from connectomedb.errors import ConfigurationError
from connectomedb.schema.model import Item, Value
from connectomedb.schema.registry import DataTypes, load_types
from connectomedb.search.query import CriteriaSet, FieldRef, SearchField, SearchQuery
from connectomedb.store import tables as t
from connectomedb.store.archive import Archive
from connectomedb.store.engine import open_engine
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("admin", 1, True)
Make = Callable[..., DataTypes]


def schema(fields: Sequence[tuple[str, str]], extra: str = "") -> bytes:
    """A synthetic type `wide:data` with these leaves, name and XSD type."""
    elements = "".join(f'<xs:element name="{name}" type="xs:{kind}" minOccurs="0"/>' for name, kind in fields)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<xs:schema targetNamespace="http://example.org/wide" xmlns:wide="http://example.org/wide" '
        'xmlns:xnat="http://nrg.wustl.edu/xnat" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="Wide" type="wide:data"/>'
        '<xs:complexType name="data"><xs:complexContent>'
        f'<xs:extension base="xnat:subjectAssessorData"><xs:sequence>{elements}{extra}</xs:sequence>'
        "</xs:extension></xs:complexContent></xs:complexType></xs:schema>"
    ).encode()


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """The types of a site whose folder holds this schema."""

    def types(fields: Sequence[tuple[str, str]], extra: str = "") -> DataTypes:
        (tmp_path / "wide").mkdir(exist_ok=True)
        (tmp_path / "wide" / "wide.xsd").write_bytes(schema(fields, extra))
        return load_types([tmp_path])

    return types


@pytest.fixture
def open_with(fresh_database: str) -> Iterator[Callable[[DataTypes], Archive]]:
    """Open the same database with other types."""
    opened: list[Archive] = []

    def opener(types: DataTypes) -> Archive:
        archive = Archive(open_engine(fresh_database), types)
        opened.append(archive)
        return archive.create()

    yield opener
    for archive in opened:
        archive.close()


def fill(archive: Archive, values: dict[str, Value], number: int = 1) -> Item:
    """One subject and one wide document about it."""
    if number == 1:
        archive.add_project("P", insert_user="admin")
        person = Item("xnat:subjectData", {"ID": "S", "label": "s"})
        archive.store_items([person], user="admin", project="P")
    named = {"ID": f"W{number}", "label": f"w{number}", "project": "P", "subject_ID": "S"}
    item = Item("wide:data", {**named, **values})
    archive.store_items([item], user="admin", project="P")
    return item


SHORT_B = (
    '<xs:element name="b" minOccurs="0"><xs:simpleType><xs:restriction base="xs:string">'
    '<xs:maxLength value="2"/></xs:restriction></xs:simpleType></xs:element>'
)
WIDE = [(f"f{n:04d}", "string" if n % 3 == 0 else "double" if n % 3 == 1 else "integer") for n in range(2500)]


def full_row(fields: Sequence[tuple[str, str]]) -> dict[str, Value]:
    """A value for every field: texts that fill 24 bytes, big numbers."""
    values: dict[str, Value] = {}
    for n, (name, kind) in enumerate(fields):
        values[name] = f"text number {n:012d}" if kind == "string" else n + 0.25 if kind == "double" else n
    return values


def test_a_type_of_2500_fields_is_split_and_rejoined(
    make: Make, open_with: Callable[[DataTypes], Archive]
) -> None:
    archive = open_with(make(WIDE))
    typed = t.Layout(archive.types).typed("wide:data")
    assert len(typed.tables) > 2
    assert max(len(table.columns) for table in typed.tables) <= t.MOST_COLUMNS + 1
    item = fill(archive, full_row(WIDE))
    assert archive.load_item("W1", ADMIN) == item
    asked = ("f2499", "f0000", "f1200")
    fields = tuple(SearchField(FieldRef("wide:data", name)) for name in asked)
    table = archive.search(SearchQuery("wide:data", fields, CriteriaSet("AND", ())), ADMIN)
    assert table.rows[0][:3] == tuple(item.values[name] for name in asked)


def test_a_wide_type_grows_in_the_middle_and_keeps_its_values(
    make: Make, open_with: Callable[[DataTypes], Archive]
) -> None:
    before = open_with(make(WIDE))
    item = fill(before, full_row(WIDE))
    grown = [*WIDE[:10], ("late", "string"), *WIDE[10:], ("last", "double")]
    after = open_with(make(grown))
    assert after.load_item("W1", ADMIN) == item
    newer = fill(after, {**full_row(grown)}, 2)
    assert after.load_item("W2", ADMIN) == newer
    assert not [name for name in inspect(after.engine).get_table_names() if name.startswith("before_")]
    assert open_with(make(grown)).load_item("W1", ADMIN) == item


def test_a_narrow_type_that_becomes_wide_keeps_its_rows(
    make: Make, open_with: Callable[[DataTypes], Archive]
) -> None:
    item = fill(open_with(make(WIDE[:5])), full_row(WIDE[:5]))
    after = open_with(make(WIDE))
    assert after.load_item("W1", ADMIN) == item
    newer = fill(after, full_row(WIDE), 2)
    assert after.load_item("W2", ADMIN) == newer


@pytest.mark.parametrize(
    ("fields", "extra", "reason"),
    [
        ([("b", "string")], "", "column a of t_wide_data has values and no field any more"),
        ([("a", "string"), ("b", "string")], "", "column a of t_wide_data was BigInteger and is now"),
        (
            [("a", "integer")],
            SHORT_B,
            r"field b \(t_wide_data\) holds 'text', and now it is longer than 2 characters",
        ),
    ],
)
def test_a_change_that_would_lose_values_is_refused(
    make: Make,
    open_with: Callable[[DataTypes], Archive],
    fields: list[tuple[str, str]],
    extra: str,
    reason: str,
) -> None:
    before = make([("a", "integer"), ("b", "string")])
    item = fill(open_with(before), {"a": 1, "b": "text"})
    with pytest.raises(ConfigurationError, match=reason):
        open_with(make(fields, extra))
    assert open_with(before).load_item("W1", ADMIN) == item


def test_a_type_with_items_may_not_go(make: Make, open_with: Callable[[DataTypes], Archive]) -> None:
    fill(open_with(make([("a", "integer")])), {"a": 1})
    with pytest.raises(ConfigurationError, match="put its schema back"):
        open_with(load_types())


def test_fields_without_values_may_change_and_go(
    make: Make, open_with: Callable[[DataTypes], Archive]
) -> None:
    fill(open_with(make([("a", "integer"), ("b", "string"), ("c", "date")])), {})
    after = open_with(make([("b", "double")]))
    newer = fill(after, {"b": 1.5}, 2)
    assert after.load_item("W2", ADMIN) == newer
    columns = {column["name"] for column in inspect(after.engine).get_columns("t_wide_data")}
    assert {"a", "c"} & columns == set()
