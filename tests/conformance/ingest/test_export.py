"""Exports: what a user sees of a project, in four formats, whole or not at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pyarrow.parquet
import pytest
from click.testing import CliRunner

from connectomedb.cli.main import main
from connectomedb.errors import ConfigurationError, NoSuchProject
from connectomedb.store.export import FORMATS
from connectomedb.store.site import Site, open_site
from connectomedb.vocabulary.records import Principal

ADMIN = Principal("curator", is_admin=True)


@pytest.fixture(scope="module")
def q1(sample_site_folder: Path) -> Site:
    return open_site(sample_site_folder)


def test_every_format_holds_every_subject(q1: Site, tmp_path: Path) -> None:
    labels = set(q1.archive.listing("subjects", ADMIN, project="HCP_Subjects").column("label"))
    for kind in FORMATS:
        q1.archive.export("HCP_Subjects", tmp_path / kind, kind, ADMIN, synthetic=True)
    assert {p.parent.name for p in (tmp_path / "xml").glob("*/subject.xml")} == labels
    with (tmp_path / "csv" / "xnat_subjectData.csv").open(newline="") as stream:
        assert {row["subject"] for row in csv.DictReader(stream)} == labels
    with (tmp_path / "bids" / "participants.tsv").open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    assert {row["participant_id"].removeprefix("sub-") for row in rows} == labels
    table = pyarrow.parquet.read_table(tmp_path / "parquet" / "nt_scores.parquet")
    assert str(table.schema.field("NEOFAC_A").type) == "int64"
    assert table.schema.field("NEOFAC_A").metadata[b"Description"] == b"NEO factor A: Agreeableness"
    for kind in FORMATS:
        assert "SYNTHETIC" in json.loads((tmp_path / kind / "export.json").read_text())["synthetic"]
    dictionary = json.loads((tmp_path / "csv" / "nt_scores.json").read_text())
    assert dictionary["NEOFAC_A"]["Path"] == "nt:scores/NEO/NEOFAC_A"
    assert "SYNTHETIC" in dictionary["MeasurementToolMetadata"]["Synthetic"]


def test_a_reader_gets_what_the_reader_sees(q1: Site, tmp_path: Path) -> None:
    reader = q1.archive.find_user("guest-reader")
    q1.archive.export("HCP_Q1", tmp_path / "q1", "csv", reader)
    with (tmp_path / "q1" / "nt_scores.csv").open(newline="") as stream:
        labels = [row["label"] for row in csv.DictReader(stream)]
    assert len(labels) == 76
    assert not [label for label in labels if label.endswith("_Retest")]
    for hidden in ("HCP_Subjects", "HCP_Q1b"):
        with pytest.raises(NoSuchProject):
            q1.archive.export(hidden, tmp_path / "hidden", "csv", reader)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["q1"]


def test_a_protected_project_shows_its_record_and_no_data(site: Site, tmp_path: Path) -> None:
    site.archive.add_project("PRO", accessibility="protected", insert_user="curator")
    from connectomedb.schema.model import Item

    site.archive.store_items([Item("xnat:subjectData", {"label": "s1"})], user="curator", project="PRO")
    stranger = site.archive.add_user("stranger", "stranger-of-the-test")
    for kind in FORMATS:
        report = site.archive.export("PRO", tmp_path / kind, kind, stranger)
        assert report.n_written == (1 if kind == "xml" else 0)
        assert "s1" not in "".join(p.name for p in (tmp_path / kind).rglob("*"))


def test_a_folder_in_use_is_left_alone(q1: Site, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine").touch()
    with pytest.raises(ConfigurationError, match="new or empty"):
        q1.archive.export("HCP_Q1", tmp_path / "x", "csv", ADMIN)
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["mine"]


def test_tables_say_what_they_have_no_place_for(site: Site, tmp_path: Path) -> None:
    from connectomedb.schema.model import Item

    variable = Item("xnat:subjectData_field", {"name": "iq", "field": "100"})
    person = Item("xnat:subjectData", {"label": "s1"}, {"fields/field": (variable,)})
    site.archive.add_project("P", insert_user="curator")
    site.archive.store_items([person], user="curator", project="P")
    report = site.archive.export("P", tmp_path / "x", "csv", ADMIN)
    assert report.left_out == ("xnat:subjectData: 1 entries of fields/field",)


def test_bids_out_and_in_again(q1: Site, site: Site, tmp_path: Path) -> None:
    q1.archive.export("HCP_Q1", tmp_path / "bids", "bids", ADMIN, synthetic=True)
    run = CliRunner()
    done = run.invoke(
        main, ["import", "bids", str(tmp_path / "bids"), "--site", str(site.folder), "--project", "P"]
    )
    assert done.exit_code == 0, done.output
    with open_site(site.folder) as opened:
        assert len(opened.archive.listing("subjects", ADMIN, project="P")) == 76
        assert "bids:nt_scores" in opened.types


def test_the_command(q1: Site, tmp_path: Path) -> None:
    run = CliRunner()
    arguments = ["export", str(q1.folder), "--project", "HCP_Q1", "--format", "csv"]
    done = run.invoke(main, [*arguments, "--to", str(tmp_path / "x"), "--user", "guest-reader", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["n_written"] == 304
    assert json.loads(done.stdout)["synthetic"] is True
