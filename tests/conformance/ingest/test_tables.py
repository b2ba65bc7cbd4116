"""Tables with and without dictionaries, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from connectomedb.errors import Conflict, DocumentError, ImportRefused, NotValid
from connectomedb.search.query import FieldRef, SearchField, SearchQuery
from connectomedb.store.ingest import TableOptions, import_table
from connectomedb.store.report import IngestReport
from connectomedb.store.site import Site, open_site
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("curator", is_admin=True)
MAKE = TableOptions("P", make_subjects=True)


def load(
    site: Site, path: Path, options: TableOptions = MAKE, *, xsi_type: str = "nt:scores", new_type: str = ""
) -> IngestReport:
    return import_table(
        site.archive,
        path,
        options,
        who=ADMIN,
        xsi_type="" if new_type else xsi_type,
        new_type=new_type,
        types_folder=site.types_folder,
    )


def column(site: Site, name: str, xsi_type: str = "nt:scores") -> list[object]:
    query = SearchQuery(xsi_type, fields=(SearchField(FieldRef(xsi_type, name)),))
    table = site.archive.search(query, ADMIN)
    return [row[0] for row in table.rows]


def refusals(site: Site, path: Path, options: TableOptions = MAKE, **kind: str) -> list[tuple[object, ...]]:
    with pytest.raises(ImportRefused) as caught:
        load(site, path, options, **kind)
    assert caught.value.report.n_stored == 0
    return [(r.line, r.column, r.value) for r in caught.value.report.refused]


def write(path: Path, lines: Iterable[str], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def test_columns_by_path_display_id_and_dictionary_name(site: Site, tmp_path: Path) -> None:
    table = write(
        tmp_path / "t.csv",
        ["Subject,NEO/NEOFAC_A,NEO_NEOFAC_O,NEOFAC_C,date", "100307,1,2,3.0,2020-01-02", "100408,n/a,NA,,"],
        "utf-8-sig",
    )
    assert load(site, table).n_stored == 4
    assert sorted(column(site, "NEOFAC_A"), key=str) == [1, None]
    assert sorted(column(site, "NEOFAC_C"), key=str) == [3, None]
    found = site.archive.locate_experiment("100307_scores", ADMIN, project="P")
    assert site.archive.load_item(found.id, ADMIN).text("date") == "2020-01-02"


def test_subjects_are_rows_too_and_are_only_made_when_asked(site: Site, tmp_path: Path) -> None:
    people = write(tmp_path / "p.csv", ["Subject,gender,demographics/age", "s1,female,30", "s2,M,31"])
    assert load(site, people, TableOptions("P"), xsi_type="xnat:subjectData").n_stored == 2
    rows = write(tmp_path / "t.csv", ["Subject,NEOFAC_A", "s1,1", "s3,2"])
    assert refusals(site, rows, TableOptions("P")) == [(3, "Subject", "s3")]
    assert load(site, rows).n_stored == 3


def test_templates_missing_words_and_skipped_columns(site: Site, tmp_path: Path) -> None:
    table = write(
        tmp_path / "t.tsv",
        ["who\tlab\tvisit\tNEOFAC_A\tjunk", "s1\tA\t1\t-9999\tx", "s1\tA\t2\t5\tx", "s1\tB\t1\t6\tx"],
    )
    options = TableOptions(
        "{lab}",
        subject_column="who",
        label="{subject}_{type}_v{visit}_{n}",
        missing=("-9999",),
        skip=("lab", "visit", "junk"),
        make_subjects=True,
    )
    for project in ("A", "B"):
        site.archive.add_project(project, insert_user="curator")
    assert load(site, table, options).n_stored == 5
    labels = {row["label"] for row in site.archive.listing("experiments", ADMIN).as_dicts()}
    assert labels == {"s1_scores_v1_1", "s1_scores_v2_2", "s1_scores_v1_3"}
    assert sorted(column(site, "NEOFAC_A"), key=str) == [5, 6, None]


def test_every_fault_is_named_with_line_column_and_value(site: Site, tmp_path: Path) -> None:
    table = write(
        tmp_path / "t.csv",
        [
            "Subject,NEOFAC_A,date",
            "s1,abc,2020-01-02",
            "s2,1,02/03/2020",
            "s3,1",
            ",1,",
            "s4,99999999999999999999,",
            '"s 5",1,',
            "s6,1,",
            "s6,2,",
        ],
    )
    found = refusals(site, table)
    assert found[:5] == [
        (2, "NEOFAC_A", "abc"),
        (3, "date", "02/03/2020"),
        (4, "", ""),
        (5, "Subject", ""),
        (6, "NEOFAC_A", "99999999999999999999"),
    ]
    assert [line for line, _, _ in found[5:]] == [7, 9]
    report = import_table(site.archive, table, MAKE, who=ADMIN, xsi_type="nt:scores", keep="rows")
    assert report.n_stored == 2  # s6 and its scores
    assert len(report.refused) == 7


def test_the_dictionary_bounds_levels_and_missing_values(site: Site, tmp_path: Path) -> None:
    dictionary = {
        "NEOFAC_A": {"MinValue": 0, "MaxValue": 10, "MissingValues": ["-1"]},
        "grade": {"Path": "nt:scores/note", "Levels": {"low": "", "NA": "not asked"}},
        "elsewhere": {"Description": "a dictionary may be larger than the table"},
    }
    (tmp_path / "d.json").write_text(json.dumps(dictionary))
    options = TableOptions("P", tmp_path / "d.json", make_subjects=True)
    table = write(tmp_path / "t.csv", ["Subject,NEOFAC_A,grade", "s1,-1,NA", "s2,11,low", "s3,1,high"])
    assert refusals(site, table, options) == [(3, "NEOFAC_A", "11"), (4, "grade", "high")]
    table = write(tmp_path / "t.csv", ["Subject,NEOFAC_A,grade", "s1,-1,NA"])
    load(site, table, options)
    assert column(site, "NEOFAC_A") == [None]
    assert column(site, "note") == ["NA"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Subject,note\ns1,Z\xfcrich\n", "line 2: byte 0xfc is not UTF-8"),
        ("Subject,note\ns1,x\n".encode("utf-16"), "UTF-16"),
        (b"Subject,note\ns1,a\x00b\n", "line 2: a NUL"),
        (b'Subject,note\ns1,"never closed\n' + b"x" * 300_000, "line 2"),
        (b'Subject,note\ns1,x\n\n\ns2,"a"b\n', "line 5"),
    ],
)
def test_a_file_that_cannot_be_read_on_is_refused_with_its_line(
    site: Site, tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(DocumentError, match=said):
        load(site, path)
    assert len(site.archive.listing("subjects", ADMIN)) == 0


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("Subject,NEOFAC_A,NEOFAC_A", "stands twice"),
        ("Subject,", "has no name"),
        ("Subjekt,NEOFAC_A", "did you mean Subjekt"),
        ("Subject,NEOFAC_X", "did you mean .*NEOFAC_"),
        ("Subject,NEOFAC_A,NEO/NEOFAC_A", "both fill NEO/NEOFAC_A"),
        ("", "empty"),
    ],
)
def test_a_head_that_means_nothing(site: Site, tmp_path: Path, head: str, said: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{head}\ns1,1,1\n" if head else "")
    with pytest.raises(DocumentError, match=said):
        load(site, path)


def test_a_new_type_comes_from_the_table_and_stays_in_the_site(site: Site, tmp_path: Path) -> None:
    table = write(tmp_path / "m.csv", ["Subject,hits,speed,word", "s1,3,1.5,tree", "s2,,2,NA"])
    table.with_suffix(".json").write_text(json.dumps({"hits": {"Description": "Hits", "Units": "count"}}))
    options = TableOptions("P", table.with_suffix(".json"), make_subjects=True)
    report = load(site, table, options, new_type="study:memory")
    assert report.types == ("study:memory",)
    assert sorted(column(site, "hits", "study:memory"), key=str) == [3, None]
    with pytest.raises(Conflict):
        load(site, write(tmp_path / "n.csv", ["Subject,hits", "s9,1"]), new_type="study:memory")
    again = open_site(site.folder)
    assert again.types.element("study:memory", "hits").unit == "count"
    again.close()


def test_a_new_type_that_failed_leaves_no_trace(site: Site, tmp_path: Path) -> None:
    table = write(tmp_path / "m.csv", ["Subject,hits", "s1,3", "s2,4"])
    refusals(site, table, TableOptions("P"), new_type="study:memory")
    assert "study:memory" not in site.archive.types
    assert not [p for p in site.types_folder.rglob("*") if p.is_file()]
    # The corrected table has words where numbers were: nothing of the first try is in the way.
    table = write(tmp_path / "m.csv", ["Subject,hits", "s1,many", "s2,few"])
    assert load(site, table, new_type="study:memory").n_stored == 4


def test_a_dictionary_that_contradicts_a_new_type(site: Site, tmp_path: Path) -> None:
    table = write(tmp_path / "m.csv", ["Subject,hits", *(f"s{n},{n}" for n in range(900)), "s901,many"])
    table.with_suffix(".json").write_text(json.dumps({"hits": {"MinValue": 0}}))
    options = TableOptions("P", table.with_suffix(".json"), make_subjects=True)
    with pytest.raises(NotValid, match="'many'"):
        load(site, table, options, new_type="study:memory")
