"""Import a table: each row a subject, or an experiment of one data type, known or made from the table.

Rows are read, understood and stored one batch at a time in one transaction, so that a table of any length
needs the memory of a batch.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from connectomedb.errors import ConfigurationError, Conflict, DocumentError, ImportRefused, NotValid
from connectomedb.schema.model import Item, Value
from connectomedb.schema.registry import nearest
from connectomedb.store import tables as t
from connectomedb.store.facts import COLUMNS, parse_facts
from connectomedb.store.ingest import journal
from connectomedb.store.ingest.columns import MISSING, TABLE_FACTS, ColumnUse, match_columns
from connectomedb.store.ingest.documents import Keep, Progress
from connectomedb.store.ingest.loading import BATCH, Failed, Loading, Sourced
from connectomedb.store.ingest.newtypes import NewTypes, Witnesses, make_type
from connectomedb.store.ingest.tables import TableFile, facts_of, open_table, read_dictionary
from connectomedb.store.report import IngestReport, Refusal
from connectomedb.store.writer import Imported
from connectomedb.vocabulary.records import Principal

if TYPE_CHECKING:
    from connectomedb.store.archive import Archive

LABEL = "{subject}_{type}"
_SUBJECT_COLUMNS = ("Subject", "subject", "participant_id", "subject_label")
_NAMESPACES = "http://connectomedb.org"


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How a table is to be understood.

    `label` and `project` are templates of `{subject}`, `{type}`, `{n}` (1, 2, … within a subject) and
    `{COLUMN}`. `missing` are the spellings of a missing value; None takes the dictionary's, else the empty
    cell, `n/a` and `NA`. `skip` names columns to leave out.
    """

    project: str
    dictionary: Path | None = None
    subject_column: str = ""
    label: str = LABEL
    missing: tuple[str, ...] | None = None
    delimiter: str = ""
    skip: tuple[str, ...] = ()
    make_subjects: bool = False


@dataclass(slots=True)
class _Reading:
    """The rows of one table as items, and what was wrong with the others."""

    table: TableFile
    xsi_type: str
    uses: tuple[ColumnUse, ...]
    subject_column: str
    options: TableOptions
    is_subject: bool
    stated: Mapping[str, int]
    refused: list[Refusal] = field(default_factory=list)
    _seen: dict[str, int] = field(default_factory=dict)

    def items(self) -> Iterator[Sourced]:
        name = self.table.path.name
        subject_at = self.table.head.index(self.subject_column)
        counts = "{n}" in self.options.label
        for line, cells in self.table.rows(self.refused.append):
            subject = cells[subject_at].strip()
            if not subject:
                self.refused.append(Refusal(name, "names no subject", line, self.subject_column))
                continue
            values: dict[str, Value] = {}
            n_refused = len(self.refused)
            for use in self.uses:
                try:
                    value = use.read(cells[use.position])
                except ValueError as problem:
                    self.refused.append(Refusal(name, str(problem), line, use.name, cells[use.position]))
                    continue
                if value is not None:
                    values[use.element.path] = value
            if len(self.refused) > n_refused:
                continue
            if counts:
                self._seen[subject] = self._seen.get(subject, 0) + 1
            words = {
                **dict(zip(self.table.head, (cell.strip() for cell in cells), strict=True)),
                "subject": subject,
                "type": self.xsi_type.partition(":")[2],
                "n": str(self._seen.get(subject, 1)),
            }
            project = values.get("project") or _filled(self.options.project, words)
            own = {"label": subject} if self.is_subject else {"subject_ID": subject}
            label = {} if self.is_subject else {"label": _filled(self.options.label, words)}
            item = Item(self.xsi_type, {"project": project, **label, **own, **values})
            stated = self._stated(item, cells, line)
            if len(self.refused) == n_refused:
                yield Sourced(item, name, line, stated)

    def _stated(self, item: Item, cells: Sequence[str], line: int) -> Imported | None:
        """The item with what another site states beside it, when the table has columns for that."""
        said = {fact: cells[at] for fact, at in self.stated.items() if cells[at].strip()}
        try:
            return parse_facts(item, said) if said else None
        except DocumentError as problem:
            self.refused.append(Refusal(self.table.path.name, str(problem), line))
            return None


def import_table(
    archive: Archive,
    path: Path,
    options: TableOptions,
    *,
    who: Principal,
    xsi_type: str = "",
    new_type: str = "",
    types_folder: Path | None = None,
    keep: Keep = "files",
    dry_run: bool = False,
    again: bool = False,
    update: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Store the rows of a table as items of `xsi_type`, or of `new_type`, which is made from the table.

    With `keep` 'files' or 'all' the table is stored whole or not at all; with 'rows' the rows that are fine
    are stored. `dry_run` does everything and takes it back. A table that is in already is not read again,
    unless `again` says so. With `update` the row of an item that is there, by its ID, else its label, is laid
    over it: the cells that have a value replace, the others stay.

    Null     a missing cell is no value; a row without any is an item without scores
    Raises   ImportRefused with the report, when a row was refused and `keep` is not 'rows'; NotValid for a
             head or a dictionary that means nothing; DocumentError when the file cannot be read on
    Cost     memory for one batch of 500 rows
    """
    if bool(xsi_type) == bool(new_type):
        raise ConfigurationError("say of which data type the rows are: one that is there, or a new one")
    journal.prepare(archive.engine)
    stamp, n_rows = journal.stamp_file(path) if path.is_file() else (journal.Stamp(str(path), 0, 0), 0)
    stamp = replace(stamp, source=f"{stamp.source} {xsi_type or new_type}")
    with archive.engine.connect() as connection:
        if not again and journal.is_known(connection, options.project, stamp):
            return IngestReport(0, (), n_known=1)
    table = open_table(path, delimiter=options.delimiter)
    dictionary = read_dictionary(options.dictionary) if options.dictionary else {}
    column = _subject_column(table, dictionary, options.subject_column)
    unknown = [name for name in options.skip if name not in table.head]
    if unknown:
        raise NotValid([f"{path.name} has no column {name!r} to skip" for name in unknown])
    stated = {
        fact: position
        for position, name in enumerate(table.head)
        if name not in options.skip and (fact := facts_of(dictionary, name).get("Fact")) in COLUMNS
    }
    leave = (column, *options.skip, *(table.head[position] for position in stated.values()))
    run = _Run(
        archive,
        table,
        column,
        options,
        dictionary,
        leave,
        stamp,
        max(n_rows - 1, 0),
        who,
        keep,
        dry_run,
        update,
        stated,
    )
    if not new_type:
        known = archive.types.get(xsi_type).xsi_type
        return run.store(known, {}, progress or _quiet)
    if types_folder is None:
        raise ConfigurationError("a new type needs the folder in which the site keeps its types")
    return _with_new_type(run, new_type, types_folder, progress or _quiet)


@dataclass(slots=True)
class _Run:
    archive: Archive
    table: TableFile
    subject_column: str
    options: TableOptions
    dictionary: Mapping[str, Any]
    leave: tuple[str, ...]
    stamp: journal.Stamp
    n_rows: int
    who: Principal
    keep: Keep
    dry_run: bool
    update: bool
    stated: Mapping[str, int]

    def store(self, xsi_type: str, paths: Mapping[str, str], progress: Progress) -> IngestReport:
        """Read and store every row. Raises ImportRefused."""
        types = self.archive.types
        uses = match_columns(
            self.table.head,
            xsi_type,
            types,
            self.dictionary,
            leave=self.leave,
            missing=self.options.missing,
            paths=paths,
        )
        is_subject = types.is_a(xsi_type, t.SUBJECT)
        if not is_subject and not types.is_a(xsi_type, "xnat:subjectAssessorData"):
            raise ConfigurationError(f"{xsi_type} is neither a subject nor an experiment of one")
        reading = _Reading(
            self.table, xsi_type, uses, self.subject_column, self.options, is_subject, self.stated
        )
        _check_template(self.options.label, self.table.head)
        _check_template(self.options.project, self.table.head)
        failed: dict[int | None, Refusal] = {}
        name, n_done = self.table.path.name, 0
        user, project = self.who.login, self.options.project
        with self.archive.loading(user=user, project=project, update=self.update) as load:
            if "{" not in self.options.project:
                load.ensure_project(self.options.project)
            try:
                for batch in _batches(reading.items()):
                    for one in self._add(load, batch, reading):
                        failed.setdefault(one.refusal.line, one.refusal)
                    n_done += len(batch)
                    progress(n_done, max(self.n_rows, n_done), name)
            except DocumentError as problem:  # the file cannot be read on
                reading.refused.append(_broken(name, problem))
                load.cancel()
            refused = tuple(
                sorted((*reading.refused, *failed.values()), key=lambda one: one.line or self.n_rows + 2)
            )
            if self.dry_run or (refused and self.keep != "rows"):
                load.cancel()
            elif not load.cancelled:
                journal.note(load.connection, self.options.project, [] if refused else [self.stamp])
            ids = () if load.cancelled else tuple(load.ids)
        n_updated = load.n_updated if ids else 0
        report = IngestReport(len(ids), ids, refused, n_updated=n_updated)
        if refused and self.keep != "rows":
            raise ImportRefused(report)
        return report

    def _add(self, load: Loading, batch: Sequence[Sourced], reading: _Reading) -> list[Failed]:
        if reading.is_subject or not self.options.make_subjects:
            return [self._told(one) for one in load.add(batch)]
        made: list[Sourced] = []
        for project in dict.fromkeys(one.item.text("project") for one in batch):
            rows = {o.item.text("subject_ID"): o for o in batch if o.item.text("project") == project}
            known = load.known_subjects(project, list(rows))
            made += [
                replace(one, item=Item(t.SUBJECT, {"project": project, "label": subject}), stated=None)
                for subject, one in rows.items()
                if subject not in known
            ]
        return [self._told(one) for one in load.add([*made, *batch])]

    def _told(self, one: Failed) -> Failed:
        """The failure in the table's words."""
        refusal = one.refusal
        if refusal.column == "subject_ID":
            reason = f"{refusal.reason}; --make-subjects makes those that are missing"
            return replace(one, refusal=replace(refusal, column=self.subject_column, reason=reason))
        return one


def _with_new_type(run: _Run, new_type: str, types_folder: Path, progress: Progress) -> IngestReport:
    """Make the type from the table, use it, and store the rows; all of it, or nothing."""
    prefix, _, name = new_type.rpartition(":")
    prefix = prefix or "local"
    if f"{prefix}:{name}" in run.archive.types:
        raise Conflict(f"the data type {prefix}:{name} exists already; import into it with its name")
    missing = run.options.missing
    witnesses = Witnesses(run.table.head)
    absent = MISSING if missing is None else frozenset(missing) | {""}
    ragged: list[Refusal] = []
    try:
        for _, cells in run.table.rows(ragged.append):
            witnesses.add(["" if cell.strip() in absent else cell for cell in cells])
    except DocumentError as problem:
        raise ImportRefused(
            IngestReport(0, (), (*ragged, _broken(run.table.path.name, problem)))
        ) from problem
    described = str(facts_of(run.dictionary, TABLE_FACTS).get("Description", ""))
    files = make_type(
        name,
        witnesses,
        run.dictionary,
        prefix=prefix,
        namespace=f"{_NAMESPACES}/{prefix}",
        leave=run.leave,
        description=described,
    )
    with NewTypes(run.archive, types_folder, prefix, f"{_NAMESPACES}/{prefix}") as made:
        made.use([files])
        report = run.store(files.xsi_type, files.columns, progress)
        if not run.dry_run:
            made.keep()
    return replace(report, types=(files.xsi_type,))


def _broken(name: str, problem: DocumentError) -> Refusal:
    """Where a file cannot be read on."""
    at_line = re.match(rf"{re.escape(name)}, line (\d+): (.*)", str(problem), re.DOTALL)
    return Refusal(name, at_line[2], int(at_line[1])) if at_line else Refusal(name, str(problem))


def _subject_column(table: TableFile, dictionary: Mapping[str, Any], asked: str) -> str:
    said = asked or str(facts_of(dictionary, TABLE_FACTS).get("SubjectColumn", ""))
    found = next((name for name in ((said,) if said else _SUBJECT_COLUMNS) if name in table.head), "")
    if not found:
        near = nearest(said or "Subject", table.head)
        hint = (
            f"; did you mean {' or '.join(near)}?" if near else f"; there are: {', '.join(table.head[:20])}"
        )
        raise NotValid(
            [f"{table.path.name} has no column {said or 'Subject'!r} that names the subject{hint}"]
        )
    return found


def _check_template(template: str, head: Collection[str]) -> None:
    known = {"subject", "type", "n", *head}
    try:
        parts = list(Formatter().parse(template))
    except ValueError as problem:
        raise ConfigurationError(f"the template {template!r} cannot be read: {problem}") from problem
    for _, name, spec, conversion in parts:
        if name is not None and (name not in known or spec or conversion):
            raise ConfigurationError(
                f"the template {template!r} names {name!r}; it may name subject, type, n and the columns"
            )


def _filled(template: str, words: Mapping[str, str]) -> str:
    """The template with its words; columns are only looked up, never evaluated."""
    return "".join(
        text + (words[name] if name is not None else "") for text, name, _, _ in Formatter().parse(template)
    )


def _batches(items: Iterator[Sourced]) -> Iterator[list[Sourced]]:
    batch: list[Sourced] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _quiet(_n_done: int, _n_total: int | None, _file: str) -> None:
    return
