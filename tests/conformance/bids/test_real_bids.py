"""A real data set, end to end: 272 people, their questionnaires and the listing of their files.

The expected answers are computed here from the data set's own tables, without our code.
"""

from __future__ import annotations

import csv
import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import connectomedb
from connectomedb.cli.main import main
from connectomedb.client.connection import Project, Server
from connectomedb.server.run import ServerThread
from connectomedb.store.site import open_site

Rows = list[dict[str, str]]


def _tsv(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as source:
        return list(csv.DictReader(source, delimiter="\t"))


@pytest.fixture(scope="module")
def site_folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bids") / "site"
    run = CliRunner()
    made = run.invoke(main, ["init", str(folder), "--title", "LA5c", "--json"])
    assert made.exit_code == 0, made.output
    (folder / "password").write_text(json.loads(made.stdout)["password"])
    for arguments in (
        ["import", "bids", str(shared_data), "--site", str(folder), "--project", "LA5c"],
        [
            *("mirror", "scan", "--listing", str(shared_data / "objects.tsv")),
            *("--layout", "bids", "--site", str(folder), "--project", "LA5c"),
        ],
    ):
        outcome = run.invoke(main, arguments)
        assert outcome.exit_code == 0, outcome.output
    return folder


@pytest.fixture(scope="module")
def url(site_folder: Path) -> Iterator[str]:
    site = open_site(site_folder)
    with ServerThread(site) as server:
        yield server.url
    site.close()


@pytest.fixture(scope="module")
def site(url: str, site_folder: Path) -> Iterator[Server]:
    with connectomedb.connect(url, "admin", (site_folder / "password").read_text()) as site:
        yield site


@pytest.fixture(scope="module")
def project(site: Server) -> Project:
    return site.project("LA5c")


def test_every_participant_and_every_instrument_is_there(
    site: Server, project: Project, shared_data: Path
) -> None:
    assert len(project.subjects()) == 272
    instruments = {p.stem for p in (shared_data / "phenotype").glob("*.tsv")}
    known = {t.removeprefix("bids:") for t in site.data_types() if t.startswith("bids:")}
    assert known == instruments


def test_numbers_are_numbers_and_missing_is_missing(project: Project, shared_data: Path) -> None:
    table = project.search("", columns=["mr_totalraw"], data_type="bids:wais")
    ours = dict(zip(table.column("subject_label"), table.column("mr_totalraw"), strict=True))
    for row in _tsv(shared_data / "phenotype" / "wais.tsv"):
        label, text = row["participant_id"].removeprefix("sub-"), row["mr_totalraw"]
        if text == "n/a":
            assert ours.get(label) is None
        else:
            assert ours[label] == int(text)


def test_matrices_above_the_median_with_t1w_bart_and_rest(
    project: Project, shared_data: Path, tmp_path: Path
) -> None:
    scores = {
        row["participant_id"].removeprefix("sub-"): int(row["mr_totalraw"])
        for row in _tsv(shared_data / "phenotype" / "wais.tsv")
        if row["mr_totalraw"] != "n/a"
    }
    median = statistics.median(scores.values())
    objects = _tsv(shared_data / "objects.tsv")

    def wanted(key: str) -> str:
        """The subject whose T1w, bart or rest file this is, else ''."""
        match = re.match(r"sub-(\w+)/.*_(T1w|task-bart_\w+|task-rest_\w+)\.", key)
        return match[1] if match else ""

    def holders(pattern: str) -> set[str]:
        return {m[1] for o in objects if (m := re.match(rf"sub-(\w+)/.*{pattern}", o["key"]))}

    expected = (
        {label for label, score in scores.items() if score > median}
        & holders("_T1w")
        & holders("_task-bart_")
        & holders("_task-rest_")
    )
    question = f"mr_totalraw > {median} and has('T1w') and has('bart') and has('rest')"
    table = project.search(question, columns=["mr_totalraw"], data_type="bids:wais")
    assert set(table.column("subject_label")) == expected
    assert len(expected) > 50

    chosen = {
        o["key"]: o
        for o in objects
        if wanted(o["key"]) in expected and not o["key"].startswith("derivatives")
    }
    plans = [
        project.plan(table, kind="T1w", folder=tmp_path),
        project.plan(table, run="bart", folder=tmp_path),
        project.plan(table, run="rest", folder=tmp_path),
    ]
    planned = {f.key: f for plan in plans for f in plan.files}
    assert set(planned) == set(chosen)
    assert sum(plan.size_bytes for plan in plans) == sum(int(o["size"]) for o in chosen.values())
    for key, row in chosen.items():
        assert (planned[key].algorithm, planned[key].digest) == (row["algorithm"], row["digest"])
