"""Many rows of one data type at once: checked by column, written by the driver's fastest way.

For tables that come as tables. Documents with repeated parts go through `writer.ItemWriter`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, Connection, Table, select
from sqlalchemy.exc import IntegrityError

from connectomedb.errors import Conflict, LabelTaken, NoSuchSubject, NotValid
from connectomedb.schema.documents import check_value
from connectomedb.schema.model import ElementPath, Value
from connectomedb.schema.values import PYTHON_TYPES
from connectomedb.store import tables as t
from connectomedb.store.projects import LEGAL_NAME, existing_project, now
from connectomedb.store.unique import refuse_taken, unique_columns
from connectomedb.store.writer import projects_text, take

_BATCH = 2_000
_MOST_REASONS = 100
_LETTERS = {"subject": "S", "experiment": "E"}


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One item: its label, whose it is, and its values in the order of the paths that `load_rows` is given.

    `subject` is the label of the subject in `project`; a subject itself has none.
    """

    label: str
    project: str
    values: tuple[Value | None, ...]
    subject: str = ""
    shares: tuple[str, ...] = ()


def load_rows(
    connection: Connection,
    layout: t.Layout,
    xsi_type: str,
    paths: Sequence[str],
    rows: Iterable[BulkRow],
    *,
    user: str,
    site_id: str,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Store the rows within the caller's transaction; gives their number.

    Null     None is no value
    Raises   NotValid with the first hundred reasons; LabelTaken, Conflict, NoSuchProject, NoSuchSubject
    Cost     a few statements and the memory of 2,000 rows
    """
    loader = _Loader(connection, layout, xsi_type, paths, user, site_id)
    n_rows = 0
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        loader.store(batch, n_rows)
        n_rows += len(batch)
        if progress:
            progress(n_rows)
    return n_rows


class _Loader:
    def __init__(
        self,
        connection: Connection,
        layout: t.Layout,
        xsi_type: str,
        paths: Sequence[str],
        user: str,
        site_id: str,
    ) -> None:
        self._connection = connection
        self._layout = layout
        self._typed = layout.typed(xsi_type)
        self._xsi_type = self._typed.data_type.xsi_type
        family = layout.family(xsi_type)
        if family not in _LETTERS:
            raise NotValid(
                [f"{xsi_type} is neither a subject nor an experiment; rows of it cannot be loaded"]
            )
        self._family = family
        self._user = user
        self._prefix = f"{site_id}_{_LETTERS[family]}"
        self._fields = self._known(paths)
        self._date = next((n for n, f in enumerate(self._fields) if f.path.lower() == "date"), None)
        self._projects: dict[str, str] = {}
        self._taken = self._ids_ahead()
        columns = [self._typed.columns[f.path.lower()] for f in self._fields]
        self._with_subject = "subject_id" in self._typed.columns and family == "experiment"
        if self._with_subject:
            columns.append(self._typed.columns["subject_id"])
        self._places = {column: n for n, column in enumerate(columns, 1)}
        self._write_items = _writer(connection, t.item, _ITEM_COLUMNS)
        self._write_members = _writer(connection, t.membership, _MEMBER_COLUMNS)
        self._write_typed = [_part_writer(connection, table, columns) for table in self._typed.tables]

    def _known(self, paths: Sequence[str]) -> list[ElementPath]:
        own = {"id", "label", "project", "subject_id"}
        known = self._typed.fields
        reasons = [
            f"{self._xsi_type} has no place for {path}"
            for path in paths
            if path.lower() not in known or path.lower() in own
        ]
        if reasons:
            raise NotValid(reasons)
        return [known[path.lower()] for path in paths]

    def _ids_ahead(self) -> frozenset[str]:
        """Ids that were imported and that the counter has yet to reach."""
        last = self._connection.scalar(select(t.counter.c.value).where(t.counter.c.name == self._family)) or 0
        ids = self._connection.scalars(
            select(t.item.c.id).where(t.item.c.id >= self._prefix, t.item.c.id < self._prefix + "\x7f")
        )
        ahead = (i for i in ids if (tail := i.removeprefix(self._prefix)).isdigit() and int(tail) > last)
        return frozenset(ahead)

    def store(self, batch: list[BulkRow], n_before: int) -> None:
        self._check(batch, n_before)
        first_pk = take(self._connection, "pk", len(batch))
        ids = self._fresh_ids(len(batch))
        subjects = self._subjects(batch) if self._with_subject else {}
        moment = now()
        items, members, typed = [], [], []
        for offset, row in enumerate(batch):
            pk, project = first_pk + offset, self._project(row.project)
            shown = [project, *(self._project(share) for share in row.shares)]
            subject_pk, subject_id = subjects.get((project, row.subject), (None, None))
            day = row.values[self._date] if self._date is not None else None
            named = (pk, ids[offset], self._family, self._xsi_type, project, row.label, subject_pk, pk, day)
            made = (projects_text(self._family, shown), "active", moment, self._user, moment)
            items.append((*named, *made))
            members += [(pk, name, self._family, row.label, n) for n, name in enumerate(shown)]
            typed.append((pk, *row.values, subject_id) if self._with_subject else (pk, *row.values))
        self._refuse_taken(items, typed)
        try:
            self._write_items(items)
            self._write_members(members)
            for write in self._write_typed:
                write(typed)
        except IntegrityError as problem:
            self._explain(batch, problem)

    def _check(self, batch: list[BulkRow], n_before: int) -> None:
        """By column: the types that occur first, single cells only where one is wrong."""
        reasons: list[str] = []
        width = len(self._fields)
        for number, row in enumerate(batch, n_before + 1):
            if not LEGAL_NAME.match(row.label):
                reasons.append(
                    f"row {number}: the label {row.label!r} is not legal: letters, digits, _ and - only"
                )
            if len(row.values) != width:
                raise NotValid([f"row {number} has {len(row.values)} values, {width} paths were named"])
        for field, column in zip(self._fields, zip(*(row.values for row in batch), strict=True), strict=True):
            reasons += self._check_column(field, column, n_before)
            if len(reasons) >= _MOST_REASONS:
                break
        if reasons:
            raise NotValid(reasons[:_MOST_REASONS])

    def _check_column(self, field: ElementPath, column: tuple[Any, ...], n_before: int) -> Iterator[str]:
        good = PYTHON_TYPES[field.value_type]
        kinds = set(map(type, column)) - {type(None)}
        if not kinds <= good:
            for number, value in enumerate(column, n_before + 1):
                if value is not None and type(value) not in good:
                    yield f"row {number}: {field.path} is {value!r}, which is no {field.value_type}"
            return
        if _all_good(field, column):
            return
        wrong = {v: why for v in set(column) if v is not None and (why := _why_not(field, v))}
        for number, value in enumerate(column, n_before + 1):
            if value in wrong:
                yield f"row {number}: {field.path} is {value!r}: {wrong[value]}"

    def _refuse_taken(self, items: list[tuple[Any, ...]], typed: list[tuple[Any, ...]]) -> None:
        """Only the columns that are one of a kind are looked at, and most types have none."""
        single = [one.column for one in unique_columns(self._layout) if one.column in self._places]
        rows: dict[Table, list[dict[str, Any]]] = {}
        for column in single:
            named = rows.setdefault(column.table, [{"pk": row[0]} for row in typed])
            for row, said in zip(typed, named, strict=True):
                said[column.name] = row[self._places[column]]
        if rows:
            refuse_taken(self._connection, self._layout, rows, {row[0]: row[1] for row in items})

    def _fresh_ids(self, n: int) -> list[str]:
        ids: list[str] = []
        while len(ids) < n:
            first = take(self._connection, self._family, n - len(ids))
            made = (f"{self._prefix}{number:05d}" for number in range(first, first + n - len(ids)))
            ids += [one for one in made if one not in self._taken]
        return ids

    def _project(self, text: str) -> str:
        if text not in self._projects:
            self._projects[text] = existing_project(self._connection, text)
        return self._projects[text]

    def _subjects(self, batch: list[BulkRow]) -> dict[tuple[str, str], tuple[int, str]]:
        """(pk, id) of the subjects that the rows name, by (project, label); all must be there."""
        m, i = t.membership.c, t.item.c
        wanted: dict[str, set[str]] = {}
        for row in batch:
            wanted.setdefault(self._project(row.project), set()).add(row.subject)
        found: dict[tuple[str, str], tuple[int, str]] = {}
        for project, labels in wanted.items():
            query = (
                select(m.label, i.pk, i.id)
                .join_from(t.membership, t.item, i.pk == m.item_pk)
                .where(m.project == project, m.family == "subject", m.label.in_(sorted(labels)))
            )
            found |= {
                (project, label): (pk, item_id) for label, pk, item_id in self._connection.execute(query)
            }
            missing = sorted(labels - {label for known, label in found if known == project})
            if missing:
                more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
                raise NoSuchSubject(f"no subject {missing[0]!r} in {project}{more}; load the subjects first")
        return found

    def _explain(self, batch: list[BulkRow], problem: IntegrityError) -> None:
        if "label" in str(problem.orig):
            names = ", ".join(row.label for row in batch[:5])
            raise LabelTaken(
                f"a label stands twice or is in use in its project already (among {names}, …); "
                "nothing was stored"
            ) from problem
        raise Conflict(
            f"rows that contradict what is stored: {problem.orig}; nothing was stored"
        ) from problem


_ITEM_COLUMNS = [
    "pk",
    "id",
    "family",
    "xsi_type",
    "project",
    "label",
    "subject_pk",
    "root_pk",
    "date",
    "projects_text",
    "status",
    "insert_date",
    "insert_user",
    "last_modified",
]
_MEMBER_COLUMNS = ["item_pk", "project", "family", "label", "position"]


def _all_good(field: ElementPath, column: tuple[Any, ...]) -> bool:
    """Whether a glance at the whole column settles it; False means look at each value."""
    if field.enumeration or field.pattern or field.max_length is not None:
        return False
    if field.value_type == "integer":
        numbers = list(filter(None, column))
        return not numbers or (min(numbers) >= -(2**63) and max(numbers) < 2**63)
    if field.value_type == "float":
        return math.isfinite(sum(filter(None, column)))
    # One text of all texts: what is wrong in one of them is wrong in it.
    return field.value_type != "string" or not _why_not(field, "".join(filter(None, column)))


def _why_not(field: ElementPath, value: Any) -> str:
    if field.value_type == "float" and value - value != 0:
        return "it is not finite"
    if field.value_type == "integer" and not -(2**63) <= value < 2**63:
        return "it has more than 64 bits"
    if "\0" in str(value):
        return "it holds a NUL character"
    return check_value(field, value)


def _writer(
    connection: Connection, table: Table, names: Sequence[str]
) -> Callable[[list[tuple[Any, ...]]], None]:
    """Writes tuples of these columns; PostgreSQL takes them by COPY."""
    dialect = connection.dialect
    columns = [table.c[name] for name in names]
    if dialect.name == "postgresql":
        return _copy(connection, table, names)
    prepare = [
        (n, processor)
        for n, column in enumerate(columns)
        if (processor := column.type.dialect_impl(dialect).bind_processor(dialect)) is not None
    ]
    marks = ", ".join("?" for _ in names)
    statement = f"INSERT INTO {_named(connection, table, names)} VALUES ({marks})"  # noqa: S608  # our own names

    def write(rows: list[tuple[Any, ...]]) -> None:
        if prepare:
            rows = [_prepared(row, prepare) for row in rows]
        connection.exec_driver_sql(statement, rows)

    return write


def _part_writer(
    connection: Connection, table: Table, columns: Sequence[Column[Any]]
) -> Callable[[list[tuple[Any, ...]]], None]:
    """Writes the columns of one table of a type; rows are (pk, value of each of all columns)."""
    places = [n for n, column in enumerate(columns, 1) if column.table is table]
    write = _writer(connection, table, ("pk", *(columns[n - 1].name for n in places)))
    if len(places) == len(columns):
        return write
    pick = itemgetter(0, *places) if places else lambda row: (row[0],)
    return lambda rows: write([pick(row) for row in rows])


def _prepared(row: tuple[Any, ...], prepare: Sequence[tuple[int, Callable[[Any], Any]]]) -> tuple[Any, ...]:
    if all(row[n] is None for n, _ in prepare):
        return row
    cells = list(row)
    for n, processor in prepare:
        if cells[n] is not None:
            cells[n] = processor(cells[n])
    return tuple(cells)


def _copy(
    connection: Connection, table: Table, names: Sequence[str]
) -> Callable[[list[tuple[Any, ...]]], None]:
    statement = f"COPY {_named(connection, table, names)} FROM STDIN"

    def write(rows: list[tuple[Any, ...]]) -> None:
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            try:
                with cursor.copy(statement) as copy:
                    for row in rows:
                        copy.write_row(row)
            except connection.dialect.dbapi.IntegrityError as problem:  # type: ignore[union-attr]  # it has one
                raise IntegrityError(statement, None, problem) from problem

    return write


def _named(connection: Connection, table: Table, names: Sequence[str]) -> str:
    """`table (column, …)`, quoted."""
    prepare = connection.dialect.identifier_preparer
    return f"{prepare.format_table(table)} ({', '.join(prepare.quote(name) for name in names)})"
