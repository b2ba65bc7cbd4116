"""What a BIDS folder may hold beside phenotype tables: described participants, and sessions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectomedb.errors import LabelTaken, NotValid
from connectomedb.store.ingest import import_bids
from connectomedb.store.site import Site
from connectomedb.vocabulary.records import Principal


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def test_described_participants_and_sessions(site: Site, admin: Principal, tmp_path: Path) -> None:
    data = folder(
        tmp_path / "data",
        {
            "participants.tsv": "participant_id\tsex\tgroup\nsub-1\tF\tpatient\nsub-2\tM\tn/a\n",
            "participants.json": json.dumps({"group": {"Description": "Arm", "Levels": {"patient": ""}}}),
            "sub-1/sub-1_sessions.tsv": "session_id\tacq_time\tpain\n"
            "ses-a\t2020-01-02T03:04:05\t3\nses-b\tn/a\t4\n",
            "sub-2/sub-2_sessions.tsv": "session_id\tmood\nses-a\tgood\n",
        },
    )
    site.archive.add_project("P", insert_user="curator")
    report = import_bids(site.archive, data, project="P", who=admin, types_folder=site.types_folder)
    assert report.types == ("bids:participants", "bids:sessions")
    assert report.refused == ()
    labels = set(site.archive.listing("experiments", admin, project="P").column("label"))
    assert labels == {"1_participants", "1_ses-a", "1_ses-b", "2_ses-a"}
    first = site.archive.locate_experiment("1_ses-a", admin, project="P")
    item = site.archive.load_item(first.id, admin)
    assert (item.text("date"), item.values["pain"]) == ("2020-01-02", 3)


def test_left_out_rows_are_named_and_a_second_import_changes_nothing(
    site: Site, admin: Principal, tmp_path: Path
) -> None:
    data = folder(
        tmp_path / "data",
        {
            "participants.tsv": "participant_id\tage\nsub-1\told\nsub-2\t3\textra\nsub 3\t4\n",
            "phenotype/iq.tsv": "participant_id\tiq\nsub-1\t100\nsub-9\t101\n",
        },
    )
    site.archive.add_project("P", insert_user="curator")
    report = import_bids(site.archive, data, project="P", who=admin, types_folder=site.types_folder)
    assert report.n_stored == 2
    assert [(r.file, r.line, r.value) for r in report.refused] == [
        ("participants.tsv", 2, "old"),
        ("participants.tsv", 3, ""),
        ("participants.tsv", 4, "sub 3"),
        ("iq.tsv", 3, "9"),
    ]
    with pytest.raises(LabelTaken):
        import_bids(site.archive, data, project="P", who=admin, types_folder=site.types_folder)
    assert len(site.archive.listing("experiments", admin, project="P")) == 1


def test_a_contradiction_leaves_neither_items_nor_types(site: Site, admin: Principal, tmp_path: Path) -> None:
    data = folder(
        tmp_path / "data",
        {
            "participants.tsv": "participant_id\nsub-1\n",
            "phenotype/iq.tsv": "participant_id\tiq\nsub-1\thigh\n",
            "phenotype/iq.json": json.dumps({"iq": {"MinValue": 0}}),
        },
    )
    site.archive.add_project("P", insert_user="curator")
    with pytest.raises(NotValid, match="'high'"):
        import_bids(site.archive, data, project="P", who=admin, types_folder=site.types_folder)
    assert len(site.archive.listing("subjects", admin)) == 0
    assert not [p for p in site.types_folder.rglob("*") if p.is_file()]
