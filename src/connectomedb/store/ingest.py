"""Bring whole data sets in: a BIDS folder becomes subjects, data types and experiments."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectomedb.errors import DocumentError, NotValid
from connectomedb.schema.dictionary import MISSING, TypeFiles, merge_schemas, type_from_table
from connectomedb.schema.model import Item, Value
from connectomedb.schema.registry import load_types
from connectomedb.schema.values import parse_value
from connectomedb.store.archive import Archive
from connectomedb.store.items import IngestReport
from connectomedb.store.projects import LEGAL_NAME
from connectomedb.vocabulary.records import Principal

__all__ = ["IngestReport", "import_bids"]

PREFIX = "bids"
NAMESPACE = "http://connectomedb.org/bids"
SUBJECT_COLUMN = "participant_id"
_PARTS = "parts"
_GENDERS = {"f": "female", "m": "male", "female": "female", "male": "male", "o": "other", "other": "other"}
_HANDS = {
    "r": "right",
    "l": "left",
    "a": "ambidextrous",
    "right": "right",
    "left": "left",
    "ambidextrous": "ambidextrous",
}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Table:
    """One tab-separated file, read."""

    path: Path
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        return self.path.stem


def import_bids(
    archive: Archive,
    folder: Path,
    *,
    project: str,
    who: Principal,
    types_folder: Path,
    progress: Progress | None = None,
) -> IngestReport:
    """Store a BIDS data set: its participants, and one experiment per phenotype row that says something.

    Each `phenotype/NAME.tsv` becomes the data type `bids:NAME`, written into `types_folder` and used from
    then on. All or nothing: when a document is refused, neither items nor types stay.

    Shape   the report's `refused` names each row that was left out, and why
    Null    `n/a` and the empty cell are no value
    Raises  NotValid with every contradiction; LabelTaken when the data set is in the project already
    """
    say = progress or _quiet
    refused: list[str] = []
    participants = _read_table(folder / "participants.tsv", refused)
    say(f"{len(participants.rows)} participants")
    people = list(_subjects(participants, refused))
    labels = {person.text("label") for person in people}
    tables = [_read_table(path, refused) for path in sorted((folder / "phenotype").glob("*.tsv"))]
    files = _types(tables)
    say(f"{len(files)} data types")
    with _TypesOnDisk(types_folder) as kept:
        kept.write(files)
        before = archive.types
        archive.use_types(load_types([types_folder]))
        documents: list[Item] = list(people)
        for table, type_files in zip(tables, files, strict=True):
            documents += _experiments(table, type_files, labels, refused)
        say(f"storing {len(documents)} documents")
        try:
            report = archive.store_items(documents, user=who.login, project=project)
        except BaseException:
            archive.use_types(before)
            raise
        kept.keep()
    return IngestReport(report.n_stored, report.ids, tuple(refused), tuple(f.xsi_type for f in files))


class _TypesOnDisk:
    """The type files of a site; what was written goes away again unless it is kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / PREFIX
        self._before: dict[Path, bytes | None] = {}
        self._kept = False

    def __enter__(self) -> _TypesOnDisk:
        return self

    def __exit__(self, *_: object) -> None:
        if self._kept:
            return
        for path, content in self._before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)

    def write(self, files: Sequence[TypeFiles]) -> None:
        """One display document per type, and one schema for all types of the prefix, old and new."""
        parts = self._folder / _PARTS
        for one in files:
            local = one.xsi_type.partition(":")[2]
            self._write(parts / f"{local}.xsd", one.xsd)
            self._write(self._folder / "display" / f"{PREFIX}_{local}_display.xml", one.display)
        every = [path.read_bytes() for path in sorted(parts.glob("*.xsd"))]
        if every:
            self._write(self._folder / f"{PREFIX}.xsd", merge_schemas(PREFIX, NAMESPACE, every))

    def keep(self) -> None:
        """What was written stays."""
        self._kept = True

    def _write(self, path: Path, content: bytes) -> None:
        if path not in self._before:
            self._before[path] = path.read_bytes() if path.exists() else None
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(content)
        beside.replace(path)


def _types(tables: Sequence[_Table]) -> list[TypeFiles]:
    """The types of all tables. Raises NotValid with the contradictions of all."""
    files: list[TypeFiles] = []
    reasons: list[str] = []
    for table in tables:
        try:
            dictionary = _read_dictionary(table.path.with_suffix(".json"))
            facts = dictionary.get("MeasurementToolMetadata", {})
            described = str(facts.get("Description", "")) if isinstance(facts, Mapping) else ""
            columns = [n for n, column in enumerate(table.head) if column != SUBJECT_COLUMN]
            files.append(
                type_from_table(
                    table.name,
                    [table.head[n] for n in columns],
                    [[row[n] for n in columns] for row in table.rows],
                    {name: facts for name, facts in dictionary.items() if name != SUBJECT_COLUMN},
                    prefix=PREFIX,
                    namespace=NAMESPACE,
                    description=described,
                )
            )
        except NotValid as error:
            reasons += error.reasons
    if reasons:
        raise NotValid(reasons)
    return files


def _subjects(table: _Table, refused: list[str]) -> Iterator[Item]:
    columns = {name.lower(): n for n, name in enumerate(table.head)}
    for number, row in enumerate(table.rows, start=2):
        label = _label(table, number, row, refused)
        if not label:
            continue
        cells = {name: row[n].strip() for name, n in columns.items() if row[n].strip() not in MISSING}
        values: dict[str, Value] = {"label": label}
        gender = cells.get("gender") or cells.get("sex")
        if gender:
            values["demographics/gender"] = _GENDERS.get(gender.lower(), "unknown")
        hand = _HANDS.get(cells.get("handedness", "").lower())
        if hand:
            values["demographics/handedness"] = hand
        if "age" in cells:
            try:
                values["demographics/age"] = int(float(cells["age"]))
            except (ValueError, OverflowError):
                refused.append(
                    f"{table.path.name}, line {number}: age {cells['age']!r} is no number; left out"
                )
        yield Item("xnat:subjectData", values)


def _experiments(table: _Table, files: TypeFiles, labels: set[str], refused: list[str]) -> Iterator[Item]:
    """One experiment per row; a second row of the same person gets a number."""
    seen: dict[str, int] = {}
    name = files.xsi_type.partition(":")[2]
    for number, row in enumerate(table.rows, start=2):
        subject = _label(table, number, row, refused)
        if not subject:
            continue
        if subject not in labels:
            refused.append(f"{table.path.name}, line {number}: {subject!r} is not in participants.tsv")
            continue
        values: dict[str, Value] = {}
        for column, cell in zip(table.head, row, strict=True):
            if column in files.columns and cell.strip() not in MISSING:
                values[files.columns[column]] = parse_value(cell, files.value_types[column])
        if not values:
            continue
        seen[subject] = seen.get(subject, 0) + 1
        ending = "" if seen[subject] == 1 else f"_{seen[subject]}"
        yield Item(files.xsi_type, {"label": f"{subject}_{name}{ending}", "subject_ID": subject, **values})


def _label(table: _Table, number: int, row: Sequence[str], refused: list[str]) -> str:
    """The subject's label, without BIDS's `sub-`; '' when the row names none that is legal."""
    text = row[table.head.index(SUBJECT_COLUMN)].strip().removeprefix("sub-")
    if LEGAL_NAME.match(text):
        return text
    refused.append(f"{table.path.name}, line {number}: {text!r} is no legal label of a subject")
    return ""


def _read_table(path: Path, refused: list[str]) -> _Table:
    """A tab-separated file; rows of the wrong length are refused, each with its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    except FileNotFoundError as error:
        raise DocumentError(f"{path} is missing; a BIDS data set has one") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DocumentError(f"{path} is not a tab-separated table in UTF-8: {error}") from error
    if not lines or SUBJECT_COLUMN not in lines[0]:
        raise DocumentError(f"{path} has no column {SUBJECT_COLUMN}; is it a BIDS table?")
    head = tuple(lines[0])
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) == len(head):
            rows.append(tuple(line))
        elif any(cell.strip() for cell in line):
            refused.append(f"{path.name}, line {number}: {len(line)} cells where the head has {len(head)}")
    return _Table(path, head, tuple(rows))


def _read_dictionary(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise NotValid([f"{path.name} is not JSON: {error}"]) from error
    if not isinstance(found, dict):
        raise NotValid([f"{path.name} is not a dictionary of columns"])
    return found


def _quiet(_message: str) -> None:
    return
