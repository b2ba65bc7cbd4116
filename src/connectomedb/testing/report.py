"""The demo's report: one HTML page that needs nothing beside it, with a table and a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from connectomedb.tables.result import ResultTable

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}"
    ".notice{background:#fff3cd;border:1px solid #d9a400;padding:.5rem 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #bbb;padding:.25rem .6rem;"
    "text-align:left;vertical-align:top}th{background:#f0f0f0}code{font-size:.9em}"
    "td{overflow-wrap:anywhere}td:last-child{white-space:nowrap}"
)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One question of the demo, its answer in short, and whether it was right."""

    title: str
    call: str
    answer: str
    ok: bool


def write_report(
    rows: Sequence[ReportRow],
    scores: Sequence[int],
    cohort: Sequence[int],
    cohort_table: ResultTable,
    transfers: Sequence[str],
) -> str:
    """The page as text. `scores` are everybody's, `cohort` those of the cohort, `transfers` one line each."""
    steps = "".join(
        f"<tr><td>{escape(r.title)}</td><td><code>{escape(r.call)}</code></td><td>{escape(r.answer)}</td>"
        f"<td>{'as printed' if r.ok else '<strong>differs</strong>'}</td></tr>"
        for r in rows
    )
    n_right = sum(r.ok for r in rows)
    moved = "".join(f"<li>{escape(line)}</li>" for line in transfers)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>ConnectomeDB tutorial, run on synthetic data</title><style>{_STYLE}</style></head><body>"
        "<h1>The 2013 tutorial, run today</h1>"
        '<p class="notice"><strong>SYNTHETIC data.</strong> Apart from the few values that the tutorial '
        "prints, every score and every image on this page was generated; none of it describes a person.</p>"
        f"<h2>Answers: {n_right} of {len(rows)} as printed</h2><table><thead><tr><th>Step</th><th>Call</th>"
        f"<th>Answer</th><th>Reference</th></tr></thead><tbody>{steps}</tbody></table>"
        "<h2>Agreeableness (NEOFAC_A), with the cohort over 40 marked</h2>"
        f"{histogram(scores, cohort)}{_table(cohort_table)}"
        f"<h2>Images</h2><ul>{moved}</ul></body></html>\n"
    )


def histogram(scores: Sequence[int], cohort: Sequence[int], *, bin_width: int = 2) -> str:
    """An SVG of how often each score occurs; the cohort's part of each bar is marked."""
    if not scores:
        return "<p>No scores.</p>"
    first = min(scores) // bin_width * bin_width
    bins = range(first, max(scores) + 1, bin_width)
    counts = [(b, _within(scores, b, bin_width), _within(cohort, b, bin_width)) for b in bins]
    highest = max(n for _, n, _ in counts)
    width, height, base, bar = 60 + 34 * len(counts), 240, 200, 30
    parts = []
    for i, (left, n, marked) in enumerate(counts):
        x = 50 + 34 * i
        for part, colour in ((n, "#7a9cc6"), (marked, "#c8553d")):
            if part:
                tall = 160 * part / highest
                parts.append(
                    f'<rect x="{x}" y="{base - tall:.1f}" width="{bar}" height="{tall:.1f}" fill="{colour}"/>'
                )
        words = f"{left} to {left + bin_width - 1}: {n} people, {marked} in the cohort"
        parts.append(
            f'<rect x="{x}" y="40" width="{bar}" height="160" fill="transparent">'
            f"<title>{words}</title></rect>"
        )
        parts.append(f'<text x="{x + bar / 2}" y="216" text-anchor="middle" font-size="11">{left}</text>')
    parts.append(f'<text x="44" y="44" text-anchor="end" font-size="11">{highest}</text>')
    parts.append('<text x="44" y="204" text-anchor="end" font-size="11">0</text>')
    parts.append(
        '<rect x="50" y="8" width="12" height="12" fill="#7a9cc6"/>'
        '<text x="66" y="18" font-size="12">everybody</text>'
        '<rect x="150" y="8" width="12" height="12" fill="#c8553d"/>'
        '<text x="166" y="18" font-size="12">cohort</text>'
    )
    parts.append(
        f'<text x="{width / 2}" y="234" text-anchor="middle" font-size="12">NEOFAC_A (sum score)</text>'
    )
    label = f"Histogram of {len(scores)} synthetic agreeableness scores, {len(cohort)} of them in the cohort"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" '
        f'role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def _within(values: Sequence[int], left: int, width: int) -> int:
    return sum(left <= value < left + width for value in values)


def _table(table: ResultTable) -> str:
    heads = "".join(f"<th>{escape(key)}</th>" for key in table.keys)
    rows = "".join(
        "<tr>" + "".join(f"<td>{'' if cell is None else escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in table.rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
