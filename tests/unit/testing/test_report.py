"""The demo's page: complete in itself, honest about its data, safe with odd text."""

from __future__ import annotations

from connectomedb.tables.result import Column, ResultTable
from connectomedb.testing.report import ReportRow, histogram, write_report

TABLE = ResultTable((Column("subject_label"), Column("neofac_a", "integer")), (("149337", 43), ("<b>", None)))


def test_the_page_says_synthetic_and_needs_nothing_else() -> None:
    page = write_report([ReportRow("t", "c < d", "a", True)], [30, 43], [43], TABLE, ["all verified"])
    assert "SYNTHETIC" in page
    assert "c &lt; d" in page
    assert "&lt;b&gt;" in page
    assert "src=" not in page
    assert "href=" not in page
    assert "1 of 1 as printed" in page


def test_a_wrong_answer_shows() -> None:
    page = write_report([ReportRow("t", "c", "a", False)], [30], [], TABLE, [])
    assert "differs" in page
    assert "0 of 1 as printed" in page


def test_bars_count_people_and_the_cohort() -> None:
    drawn = histogram([30, 31, 32, 43], [43])
    assert "30 to 31: 2 people, 0 in the cohort" in drawn
    assert "42 to 43: 1 people, 1 in the cohort" in drawn


def test_no_scores_are_no_plot() -> None:
    assert histogram([], []) == "<p>No scores.</p>"
