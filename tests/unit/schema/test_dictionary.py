"""From tables and dictionaries to types: shapes, groups, contradictions, growth, and the shipped types."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectomedb.errors import NotValid
from connectomedb.schema.dictionary import (
    Dictionary,
    columns_of,
    infer_type,
    merge_columns,
    read_dictionary,
    type_from_table,
)
from connectomedb.schema.dictionary.build import type_files
from connectomedb.schema.dictionary.shipped import TITLES, generated_files, s1200_fields
from connectomedb.schema.registry import DataTypes, load_types

OURS = b"""column,type,description,unit,min,max,levels,missing,tier,instrument
Age in-Yrs,integer,Age,years,0,120,,-9,restricted,Person
sex,string,Sex,,,,F=female|M=male,,,Person
score,float,A score,points,0,10,,,,
"""
HCP = b"""\xef\xbb\xbffullDisplayName,category,assessment,columnHeader,description
"Age","Subject Information","Demographics","Age","Age band"
"Age again","Subject Information","Demographics","Age","another wording"
"Vocabulary, unadjusted",Cognition,"Picture Vocabulary",PicVocab_Unadj,"A text, with a comma
"""


def _loaded(tmp_path: Path, xsd: bytes, display: bytes) -> DataTypes:
    folder = tmp_path / "my"
    (folder / "display").mkdir(parents=True)
    (folder / "my.xsd").write_bytes(xsd)
    (folder / "display" / "my_display.xml").write_bytes(display)
    return load_types([tmp_path])


def _made(tmp_path: Path) -> DataTypes:
    files = type_from_table(
        "people",
        ["Age in-Yrs", "sex", "score"],
        [["31", "F", "2.5"], ["-9", "", "n/a"]],
        read_dictionary(OURS, "people.csv"),
        prefix="my",
        namespace="http://example.org/my",
    )
    assert files.notes == ("people: the column 'Age in-Yrs' is the element Age_in_Yrs",)
    return _loaded(tmp_path, files.xsd, files.display)


def test_our_shape_becomes_a_type_with_groups_units_levels_and_tiers(tmp_path: Path) -> None:
    types = _made(tmp_path)
    age = types.element("my:people", "Person/Age_in_Yrs")
    assert (age.value_type, age.unit, age.min_value, age.tier) == ("integer", "years", 0, "restricted")
    assert types.element("my:people", "Person/sex").enumeration == ("F", "M")
    fields = types.display("my:people").fields
    assert (fields["AGE_IN_YRS"].header, fields["AGE_IN_YRS"].tier) == ("Age in-Yrs", "restricted")
    assert fields["SCORE"].tier == "open"


def test_the_hcp_shape_is_read_with_its_mark_its_repeats_and_its_quotes() -> None:
    found = read_dictionary(HCP, "dictionary.csv")
    assert [c.name for c in found.columns] == ["Age", "PicVocab_Unadj"]
    assert found.get("Age").description == "Age band"
    assert found.get("PicVocab_Unadj").instrument == "Picture Vocabulary"
    assert len(found.notes) == 1


def test_the_bids_shape_is_read() -> None:
    found = read_dictionary(b'{"a": {"Description": "d", "Levels": {"1": "yes"}, "Units": "s"}}', "a.json")
    assert (found.columns[0].unit, found.columns[0].levels) == ("s", {"1": "yes"})


def test_contradictions_are_refused_all_at_once() -> None:
    dictionary = read_dictionary(b"column,type,levels\na,integer,\nb,string,x|y\ngone,float,\n", "d.csv")
    with pytest.raises(NotValid) as refused:
        type_from_table("t", ["a", "b", "B"], [["one", "z", "1"]], dictionary)
    said = "\n".join(refused.value.reasons)
    for part in ("'one'", "'z', which is none of its levels", "only by capitals", "'gone'"):
        assert part in said


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"a,b\n1,2\n", b"column,tier\nx,secret\n", b"column,min\nx,low\n"]
)
def test_what_is_no_dictionary_is_refused(content: bytes) -> None:
    with pytest.raises(NotValid):
        read_dictionary(content, "d.csv")


def test_types_are_inferred_where_the_dictionary_is_silent() -> None:
    assert infer_type(["True", "false", "n/a"]) == "boolean"
    assert infer_type(["2020-01-31"]) == "date"
    assert infer_type(["2020-13-31"]) == "string"


def test_a_newer_dictionary_adds_columns_and_keeps_tiers(tmp_path: Path) -> None:
    types = _made(tmp_path)
    before = columns_of(types.get("my:people"), types.display("my:people"))
    newer = read_dictionary(
        b"column,type,description,instrument\nextra,float,New,Person\nsex,,Better,\n", "n.csv"
    )
    merged = merge_columns(before, newer)
    files = type_files("my:people", "http://example.org/my", merged, "people")
    grown = _loaded(tmp_path / "again", files.xsd, files.display)
    assert grown.element("my:people", "Person/extra").value_type == "float"
    assert grown.element("my:people", "Person/Age_in_Yrs").tier == "restricted"
    assert grown.element("my:people", "Person/sex").documentation == "Better"


@pytest.mark.parametrize(
    ("line", "reason"),
    [("score,integer,", "was float and is now integer"), ("SCORE,float,", "only by capitals")],
)
def test_a_change_that_would_lose_values_is_refused(tmp_path: Path, line: str, reason: str) -> None:
    types = _made(tmp_path)
    before = columns_of(types.get("my:people"), types.display("my:people"))
    newer = read_dictionary(f"column,type,levels\n{line}\n".encode(), "n.csv")
    with pytest.raises(NotValid, match=reason):
        merge_columns(before, newer)


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6, unique_by=lambda s: s.lower()))
def test_every_head_gives_distinct_legal_elements(head: list[str]) -> None:
    try:
        files = type_from_table("t", head, [["1"] * len(head)], Dictionary(()))
    except NotValid:
        return  # two names whose lower case is equal although their capitals are not
    names = [path.lower() for path in files.columns.values()]
    assert len(set(names)) == len(head)
    assert all(name[0].isalpha() and name.isascii() for name in names)


def test_the_shipped_files_are_those_that_the_table_gives() -> None:
    for path, content in generated_files().items():
        assert path.read_bytes() == content, (
            f"{path.name}: run python -m connectomedb.schema.dictionary.shipped"
        )


def test_every_s1200_field_can_be_searched_by_its_dictionary_column() -> None:
    types = load_types()
    fields = s1200_fields()
    assert len(fields) == 811  # 813 rows, of which three describe Age
    for field in fields:
        shown = types.display(field.xsi_type).fields[field.column.path.upper()]
        assert (shown.header, shown.tier) == (field.column.name, field.column.tier)
    assert {f.xsi_type for f in fields} == set(TITLES)
    assert {f.column.tier for f in fields} == {"open", "restricted", "sensitive"}
