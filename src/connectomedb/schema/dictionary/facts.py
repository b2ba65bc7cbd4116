"""What a data dictionary says of a column, in any of its three shapes.

* CSV of ours: column, type, description, unit, min, max, levels, missing, tier (and category, instrument).
* The HCP dictionary's: fullDisplayName, category, assessment, columnHeader, description; a byte-order mark,
  unbalanced quotes and a column described more than once occur in the real one and are read.
* BIDS phenotype JSON: an object of columns with Description, Units, Levels, MinValue, MaxValue.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from connectomedb.errors import NotValid
from connectomedb.schema.model import ValueType

MISSING = frozenset({"", "n/a"})
# Members of a BIDS dictionary that describe the table, not a column.
METADATA = frozenset({"MeasurementToolMetadata"})
TIERS = ("open", "restricted", "sensitive")
_HCP = {"columnheader": "column", "assessment": "instrument", "fulldisplayname": "title"}
_OURS = frozenset(
    {
        *("column", "type", "description", "unit", "min", "max", "levels"),
        *("missing", "tier", "category", "instrument", "title"),
    }
)


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is said of one column; an empty text is what the dictionary does not say."""

    name: str
    value_type: ValueType | None = None
    description: str = ""
    unit: str = ""
    low: str = ""
    high: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    closed_levels: bool = True  # a value that is no level is a contradiction
    missing: frozenset[str] = MISSING
    tier: str = "open"
    category: str = ""
    instrument: str = ""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Columns in their order; `notes` says what was mended while reading."""

    columns: tuple[ColumnFacts, ...]
    description: str = ""
    notes: tuple[str, ...] = ()

    def get(self, name: str) -> ColumnFacts:
        """The facts of a column; bare ones when the dictionary is silent."""
        return next((c for c in self.columns if c.name == name), ColumnFacts(name))


def read_dictionary(content: bytes, name: str) -> Dictionary:
    """The dictionary in `content`, its shape seen from its first character and its head.

    Raises  NotValid with every line that cannot be understood
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotValid([f"{name} is not text in UTF-8: {error}"]) from error
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise NotValid([f"{name} is not JSON: {error}"]) from error
        return from_bids(found)
    return _from_csv(text, name)


def from_bids(found: Mapping[str, Any]) -> Dictionary:
    """The dictionary of a BIDS table, as its JSON object."""
    columns = []
    for name, facts in found.items():
        if name in METADATA or not isinstance(facts, Mapping):
            continue
        levels = facts.get("Levels")
        columns.append(
            ColumnFacts(
                name,
                description=str(facts.get("Description", "")),
                unit=str(facts.get("Units", "")),
                low=str(facts.get("MinValue", "")),
                high=str(facts.get("MaxValue", "")),
                levels={str(k): str(v) for k, v in levels.items()} if isinstance(levels, Mapping) else {},
                # BIDS tables hold values beside the levels, such as a free number beside a coded one.
                closed_levels=False,
            )
        )
    about = found.get("MeasurementToolMetadata")
    said = str(about.get("Description", "")) if isinstance(about, Mapping) else ""
    return Dictionary(tuple(columns), said)


def _from_csv(text: str, name: str) -> Dictionary:
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    lines = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    head = [re.sub(r"[^a-z]", "", cell.lower()) for cell in lines[0]] if lines else []
    head = [_HCP.get(cell, cell) for cell in head]
    if "column" not in head:
        raise NotValid([f"{name} has no head `column` or `columnHeader`; is it a data dictionary?"])
    reasons = [
        f"{name}: the head {cell!r} is unknown; there are {', '.join(sorted(_OURS))}"
        for cell in head
        if cell not in _OURS
    ]
    is_hcp = "title" in head
    columns: dict[str, ColumnFacts] = {}
    notes = []
    for number, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        said = {key: cell.strip() for key, cell in zip(head, line, strict=False)}
        if not said.get("column"):
            reasons.append(f"{name}, line {number}: names no column")
            continue
        facts = _facts(said, f"{name}, line {number}", reasons)
        if facts.name in columns and is_hcp:
            notes.append(f"{name}, line {number}: {facts.name} is described again; the first is kept")
        elif facts.name in columns:
            reasons.append(f"{name}, line {number}: {facts.name!r} stands twice")
        else:
            columns[facts.name] = facts
    if reasons:
        raise NotValid(reasons)
    return Dictionary(tuple(columns.values()), "", tuple(notes))


def _facts(said: Mapping[str, str], place: str, reasons: list[str]) -> ColumnFacts:
    value_type = said.get("type", "")
    if value_type and value_type not in get_args(ValueType):
        reasons.append(f"{place}: the type {value_type!r} is none of {', '.join(get_args(ValueType))}")
    tier = said.get("tier", "") or "open"
    if tier not in TIERS:
        reasons.append(f"{place}: the tier {tier!r} is none of {', '.join(TIERS)}")
    for bound in ("min", "max"):
        text = said.get(bound, "")
        try:
            float(text or "0")
        except ValueError:
            reasons.append(f"{place}: {bound} of {said['column']!r} is {text!r}, which is no number")
    return ColumnFacts(
        said["column"],
        cast(ValueType, value_type) if value_type in get_args(ValueType) else None,
        said.get("description") or said.get("title", ""),
        said.get("unit", ""),
        said.get("min", ""),
        said.get("max", ""),
        dict(_levels(said.get("levels", ""))),
        missing=MISSING | {m for m in said.get("missing", "").split("|") if m},
        tier=tier,
        category=said.get("category", ""),
        instrument=said.get("instrument", ""),
    )


def _levels(text: str) -> Iterable[tuple[str, str]]:
    """`1=yes|2=no` or `M|F`."""
    for part in text.split("|") if text else ():
        value, _, meaning = part.partition("=")
        yield value.strip(), meaning.strip()
