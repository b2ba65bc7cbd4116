"""Bring a BIDS data set in: its participants, its phenotype tables and its sessions; all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectomedb.errors import DocumentError, NotValid
from connectomedb.schema.dictionary import MISSING, TypeFiles
from connectomedb.schema.model import Item, Value
from connectomedb.schema.values import parse_value
from connectomedb.store.ingest.columns import TABLE_FACTS
from connectomedb.store.ingest.newtypes import NewTypes, Witnesses, make_type
from connectomedb.store.ingest.tables import TableFile, facts_of, open_table, read_dictionary
from connectomedb.store.projects import LEGAL_NAME
from connectomedb.store.report import IngestReport, Refusal
from connectomedb.vocabulary.records import Principal

if TYPE_CHECKING:
    from connectomedb.store.archive import Archive

PREFIX = "bids"
NAMESPACE = "http://connectomedb.org/bids"
SUBJECT_COLUMN, SESSION_COLUMN, ACQUIRED = "participant_id", "session_id", "acq_time"
_GENDERS = {"f": "female", "m": "male", "female": "female", "male": "male", "o": "other", "other": "other"}
_HANDS = {
    "r": "right",
    "l": "left",
    "a": "ambidextrous",
    "right": "right",
    "left": "left",
    "ambidextrous": "ambidextrous",
}
# Columns of participants.tsv that a subject's own document has a place for.
_OF_SUBJECT = ("age", "gender", "sex", "handedness")

Progress = Callable[[str], None]
Cells = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Table:
    """Tables of one kind: one file, or one per subject, whose name then says who it is about."""

    name: str
    files: tuple[tuple[TableFile, str], ...]
    dictionary: Mapping[str, Any]
    leave: tuple[str, ...] = (SUBJECT_COLUMN,)
    ending: str = ""

    @property
    def head(self) -> tuple[str, ...]:
        """Every column of the files, once."""
        return tuple(dict.fromkeys(name for file, _ in self.files for name in file.head))

    def rows(self, refused: list[Refusal]) -> Iterator[tuple[str, int, Cells]]:
        """File, line and cells of each row."""
        for file, subject in self.files:
            given = {SUBJECT_COLUMN: subject} if subject else {}
            for line, cells in file.rows(refused.append):
                yield file.path.name, line, {**dict(zip(file.head, cells, strict=True)), **given}


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
    then on; so do the sessions of `sub-*_sessions.tsv` (`bids:sessions`), and, when `participants.json`
    describes them, the further columns of `participants.tsv` (`bids:participants`). All or nothing: when a
    document is refused, neither items nor types stay.

    Shape   the report's `refused` names each row that was left out, and why
    Null    `n/a` and the empty cell are no value
    Raises  NotValid with every contradiction; LabelTaken when the data set is in the project already
    Cost    each table is read twice, a row at a time
    """
    say = progress or _quiet
    refused: list[Refusal] = []
    participants = _read_participants(folder)
    labels = {person.text("label") for person in _subjects(participants, [])}
    say(f"{len(labels)} participants")
    tables = _tables(folder, participants)
    files = _types(tables)
    say(f"{len(files)} data types")
    with NewTypes(archive, types_folder, PREFIX, NAMESPACE) as made:
        made.use(files)

        def documents() -> Iterator[Item]:
            yield from _subjects(participants, refused)
            for table, type_files in zip(tables, files, strict=True):
                say(f"storing {table.name}")
                yield from _experiments(table, type_files, labels, refused)

        report = archive.store_items(documents(), user=who.login, project=project)
        made.keep()
    return IngestReport(report.n_stored, report.ids, tuple(refused), tuple(f.xsi_type for f in files))


def _read_participants(folder: Path) -> _Table:
    path = folder / "participants.tsv"
    return _Table(
        "participants", ((_open(path), ""),), _dictionary(path), leave=(SUBJECT_COLUMN, *_OF_SUBJECT)
    )


def _tables(folder: Path, participants: _Table) -> list[_Table]:
    """Every table that becomes a data type."""
    tables = [
        _Table(path.stem, ((_open(path), ""),), _dictionary(path))
        for path in sorted((folder / "phenotype").glob("*.tsv"))
    ]
    further = [name for name in participants.head if name.lower() not in participants.leave]
    if participants.dictionary and further:
        left = tuple(name for name in participants.head if name not in further)
        tables.append(_Table("participants", participants.files, participants.dictionary, leave=left))
    sessions = sorted(folder.glob("sub-*/sub-*_sessions.tsv"))
    if sessions:
        described = _dictionary(folder / "sessions.tsv") or _dictionary(sessions[0])
        opened = tuple((_open(path, SESSION_COLUMN), path.parent.name) for path in sessions)
        tables.append(_Table("sessions", opened, described, leave=(SUBJECT_COLUMN,), ending=SESSION_COLUMN))
    return tables


def _types(tables: list[_Table]) -> list[TypeFiles]:
    """The types of all tables. Raises NotValid with the contradictions of all."""
    files: list[TypeFiles] = []
    reasons: list[str] = []
    for table in tables:
        witnesses = Witnesses(table.head)
        for _, _, cells in table.rows([]):
            row = [cells.get(name, "") for name in table.head]
            witnesses.add(["" if cell.strip() in MISSING else cell for cell in row])
        described = str(facts_of(table.dictionary, TABLE_FACTS).get("Description", ""))
        try:
            files.append(
                make_type(
                    table.name,
                    witnesses,
                    table.dictionary,
                    prefix=PREFIX,
                    namespace=NAMESPACE,
                    leave=table.leave,
                    description=described,
                )
            )
        except NotValid as error:
            reasons += error.reasons
    if reasons:
        raise NotValid(reasons)
    return files


def _subjects(table: _Table, refused: list[Refusal]) -> Iterator[Item]:
    for file, line, row in table.rows(refused):
        label = _label(file, line, row, refused)
        if not label:
            continue
        cells = {name.lower(): cell.strip() for name, cell in row.items() if cell.strip() not in MISSING}
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
                refused.append(Refusal(file, "is no number; left out", line, "age", cells["age"]))
        yield Item("xnat:subjectData", values)


def _experiments(table: _Table, files: TypeFiles, labels: set[str], refused: list[Refusal]) -> Iterator[Item]:
    """One experiment per row; a second row of the same person gets a number, a session its own name."""
    seen: dict[str, int] = {}
    local = files.xsi_type.partition(":")[2]
    for file, line, row in table.rows(refused):
        subject = _label(file, line, row, refused)
        if not subject:
            continue
        if subject not in labels:
            refused.append(Refusal(file, "is not in participants.tsv", line, SUBJECT_COLUMN, subject))
            continue
        values: dict[str, Value] = {
            files.columns[column]: parse_value(cell, files.value_types[column])
            for column, cell in row.items()
            if column in files.columns and cell.strip() not in MISSING
        }
        if not values:
            continue
        name = row[table.ending].strip() if table.ending else local
        seen[f"{subject}_{name}"] = n = seen.get(f"{subject}_{name}", 0) + 1
        label = f"{subject}_{name}" if n == 1 else f"{subject}_{name}_{n}"
        if not LEGAL_NAME.match(label):
            refused.append(Refusal(file, "makes no legal label", line, table.ending, name))
            continue
        head: dict[str, Value] = {"label": label, "subject_ID": subject}
        if day := _day(row.get(ACQUIRED, "")):
            head["date"] = day
        yield Item(files.xsi_type, head | values)


def _day(text: str) -> Value | None:
    """The day of a session; acq_time stands beside it as it was written."""
    try:
        return datetime.fromisoformat(text.strip()).date()
    except ValueError:
        return None


def _label(file: str, line: int, row: Cells, refused: list[Refusal]) -> str:
    """The subject's label, without BIDS's `sub-`; '' when the row names none that is legal."""
    text = row[SUBJECT_COLUMN].strip().removeprefix("sub-")
    if LEGAL_NAME.match(text):
        return text
    refused.append(Refusal(file, "is no legal label of a subject", line, SUBJECT_COLUMN, text))
    return ""


def _open(path: Path, needed: str = SUBJECT_COLUMN) -> TableFile:
    if not path.is_file():
        raise DocumentError(f"{path} is missing; a BIDS data set has one")
    table = open_table(path, delimiter="\t", quoted=False)
    if needed not in table.head:
        raise DocumentError(f"{path} has no column {needed}; is it a BIDS table?")
    return table


def _dictionary(table: Path) -> dict[str, Any]:
    path = table.with_suffix(".json")
    if not path.exists():
        return {}
    try:
        return read_dictionary(path)
    except DocumentError as problem:
        raise NotValid([str(problem)]) from problem


def _quiet(_message: str) -> None:
    return
