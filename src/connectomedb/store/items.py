"""Items in and out of their tables: documents as rows, and rows as documents again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any, cast

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from connectomedb.errors import (
    Conflict,
    DocumentError,
    LabelTaken,
    NoSuchExperiment,
    NoSuchSubject,
    NotFound,
    NotValid,
)
from connectomedb.schema.model import Item, Value
from connectomedb.store import tables as t
from connectomedb.store.projects import (
    LEGAL_NAME,
    existing_project,
    insert_project,
    locate_project,
    now,
)
from connectomedb.store.visibility import visible
from connectomedb.vocabulary.records import Accessibility, Principal

_BATCH = 500
_SHARE_TYPES: Mapping[str, str] = {
    "subject": "xnat:projectParticipant",
    "experiment": "xnat:experimentData_share",
}
_COUNTERS: Mapping[str, tuple[str, str]] = {"subject": ("subject", "S"), "experiment": ("experiment", "E")}


@dataclass(slots=True)
class _Rows:
    """Rows of one batch, by table, in the order in which they must be written."""

    items: list[dict[str, Any]] = field(default_factory=list)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    typed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    children: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def take(connection: Connection, counter: str, n: int = 1) -> int:
    """The first of `n` fresh numbers of a counter."""
    last = connection.scalar(
        update(t.counter)
        .where(t.counter.c.name == counter)
        .values(value=t.counter.c.value + n)
        .returning(t.counter.c.value)
    )
    assert isinstance(last, int), f"no counter {counter}"
    return last - n + 1


class ItemWriter:
    """Writes items within one transaction that the caller holds."""

    def __init__(
        self, connection: Connection, layout: t.Layout, *, user: str, project: str, site_id: str
    ) -> None:
        self._connection = connection
        self._layout = layout
        self._site_id = site_id
        self._user = user
        self._default_project = project
        self._moment = now()
        self._projects: dict[str, str] = {}
        self._subjects: dict[tuple[str, str], int] = {}
        self.ids: list[str] = []

    def store(self, items: Iterable[Item]) -> None:
        """Store every item; their ids are in `ids`.

        Raises   NotValid with every reason; LabelTaken, Conflict, NoSuchProject, NoSuchSubject
        Cost     a handful of statements per 500 items
        """
        reasons: list[str] = []
        for batch in _batches(items):
            rows = _Rows()
            pk = take(self._connection, "pk", len(batch))
            for offset, item in enumerate(batch):
                try:
                    self.ids.append(self._add(item, pk + offset, rows))
                except DocumentError as problem:
                    reasons.append(f"{item.text('label') or item.text('ID') or item.xsi_type}: {problem}")
            if not reasons:
                self._flush(rows)
        if reasons:
            raise NotValid(reasons)

    def _add(self, item: Item, pk: int, rows: _Rows) -> str:
        family = self._layout.family(item.xsi_type)
        if family is None or family not in _COUNTERS or self._layout.types.get(item.xsi_type).abstract:
            raise DocumentError(f"{item.xsi_type} is neither a subject nor an experiment that can be stored")
        project = self._project(item.text("project") or self._default_project)
        item_id = item.text("ID") or self._fresh_id(family)
        label = item.text("label") or item_id
        for name, text in (("ID", item_id), ("label", label)):
            if not LEGAL_NAME.match(text):
                raise DocumentError(f"the {name} {text!r} is not legal: letters, digits, _ and - only")
        shares = [(self._project(s.text("project")), s.text("label") or label) for s in _shares(item)]
        subject_pk = self._subject_pk(item, project) if item.values.get("subject_ID") else None
        if family == "subject":
            self._subjects[(project, item_id)] = self._subjects[(project, label)] = pk
        day = item.values.get("date")
        rows.items.append(
            {
                "pk": pk,
                "id": item_id,
                "family": family,
                "xsi_type": self._layout.types.get(item.xsi_type).xsi_type,
                "project": project,
                "label": label,
                "subject_pk": subject_pk,
                "date": day if isinstance(day, date) else None,
                "projects_text": projects_text(family, [project, *(p for p, _ in shares)]),
                "status": "active",
                "insert_date": self._moment,
                "insert_user": self._user,
                "last_modified": self._moment,
            }
        )
        for position, (shared, name) in enumerate([(project, label), *shares]):
            if not LEGAL_NAME.match(name):
                raise DocumentError(f"the label {name!r} is not legal: letters, digits, _ and - only")
            rows.memberships.append(
                {"item_pk": pk, "project": shared, "family": family, "label": name, "position": position}
            )
        self._add_typed(item, pk, rows)
        return item_id

    def _add_typed(self, item: Item, pk: int, rows: _Rows) -> None:
        typed = self._layout.typed(item.xsi_type)
        row: dict[str, Any] = dict.fromkeys((c.name for c in typed.columns.values()), None)
        row["pk"] = pk
        for path, value in item.values.items():
            if path.lower() in t.ITEM_PATHS:
                continue
            column = typed.columns.get(path.lower())
            if column is None:
                raise DocumentError(f"{item.xsi_type} has no place for {path}")
            row[column.name] = value
        rows.typed.setdefault(item.xsi_type.lower(), []).append(row)
        for path, entries in item.children.items():
            if path == t.SHARES:
                continue
            child = typed.children.get(path.lower())
            if child is None:
                raise DocumentError(f"{item.xsi_type} has no place for {path}")
            for number, entry in enumerate(entries, 1):
                found: dict[str, Any] = dict.fromkeys((c.name for c in child.columns.values()), None)
                found |= {"owner_pk": pk, "entry": number, "entry_type": entry.xsi_type}
                for leaf, value in entry.values.items():
                    if leaf.lower() not in child.columns:
                        raise DocumentError(f"{path} has no place for {leaf}")
                    found[child.columns[leaf.lower()].name] = value
                if entry.children:
                    inner = ", ".join(entry.children)
                    raise DocumentError(f"{path} of {item.xsi_type} holds {inner}, which is not stored yet")
                rows.children.setdefault(f"{item.xsi_type.lower()} {path.lower()}", []).append(found)

    def _flush(self, rows: _Rows) -> None:
        try:
            self._connection.execute(insert(t.item), rows.items)
        except IntegrityError as problem:
            ids = _some(row["id"] for row in rows.items)
            raise Conflict(f"an id is in use already (among {ids}); nothing was stored") from problem
        try:
            self._connection.execute(insert(t.membership), rows.memberships)
        except IntegrityError as problem:
            raise _label_taken_in(rows.memberships) from problem
        for name, found in rows.typed.items():
            self._connection.execute(insert(self._layout.typed(name).table), found)
        for key, found in rows.children.items():
            name, _, path = key.partition(" ")
            self._connection.execute(insert(self._layout.typed(name).children[path].table), found)

    def _project(self, text: str) -> str:
        if text not in self._projects:
            self._projects[text] = existing_project(self._connection, text)
        return self._projects[text]

    def _fresh_id(self, family: str) -> str:
        counter, letter = _COUNTERS[family]
        while True:
            fresh = f"{self._site_id}_{letter}{take(self._connection, counter):05d}"
            # Imported ids are kept, so a fresh one may be taken.
            if self._connection.scalar(select(t.item.c.pk).where(t.item.c.id == fresh)) is None:
                return fresh

    def _subject_pk(self, item: Item, project: str) -> int:
        text = item.text("subject_ID")
        key = (project, text)
        if key not in self._subjects:
            m, i = t.membership, t.item
            found = self._connection.scalar(
                select(i.c.pk)
                .join_from(i, m, m.c.item_pk == i.c.pk)
                .where(
                    i.c.family == "subject", m.c.project == project, (i.c.id == text) | (m.c.label == text)
                )
                .order_by(i.c.id != text)
            )
            if found is None:
                raise NoSuchSubject(f"{item.xsi_type} {item.text('label')}: no subject {text!r} in {project}")
            self._subjects[key] = found
        return self._subjects[key]


def _label_taken_in(memberships: list[dict[str, Any]]) -> LabelTaken:
    """Which label stood in the way; the transaction is lost anyway."""
    seen: set[tuple[str, str, str]] = set()
    for row in memberships:
        key = (row["project"], row["family"], row["label"])
        if key in seen:
            return LabelTaken(f"the label {key[2]!r} stands twice in project {key[0]}; nothing was stored")
        seen.add(key)
    names = _some(sorted({label for _, _, label in seen}))
    return LabelTaken(f"a label is in use in its project already (among {names}); nothing was stored")


def _some(names: Iterable[str]) -> str:
    """The first five of some names."""
    first = list(islice(names, 6))
    return ", ".join(first[:5]) + (", …" if len(first) > 5 else "")


def add_project(
    connection: Connection,
    layout: t.Layout,
    project_id: str,
    *,
    name: str,
    description: str,
    accessibility: Accessibility,
    insert_user: str,
) -> None:
    """A new project. Raises Conflict when the id is taken, ConfigurationError when it is not legal."""
    pk = take(connection, "pk")
    insert_project(
        connection,
        pk,
        project_id,
        accessibility=accessibility,
        insert_user=insert_user,
        insert_date=now(),
    )
    typed = layout.typed(t.PROJECT)
    values = {
        typed.columns["name"].name: name or project_id,
        typed.columns["secondary_id"].name: project_id,
        typed.columns["description"].name: description or None,
    }
    connection.execute(insert(typed.table).values(pk=pk, **values))


def load_item(connection: Connection, layout: t.Layout, item_id: str, who: Principal) -> Item:
    """The document of a subject or an experiment. Raises NotFound for what is not to be seen."""
    i = t.item.c
    row = connection.execute(
        select(i.pk, i.xsi_type).where(i.id == item_id, i.family != "project", visible(t.item, who))
    ).one_or_none()
    if row is None:
        raise not_found("", item_id)
    return _load(connection, layout, row.pk, row.xsi_type)


def load_project(connection: Connection, layout: t.Layout, project_id: str, who: Principal) -> Item:
    """The document of a project. Raises NoSuchProject."""
    found = locate_project(connection, layout, project_id, who)
    pk = connection.execute(select(t.project.c.pk).where(t.project.c.id == found)).scalar_one()
    return _load(connection, layout, pk, t.PROJECT)


def not_found(family: str, text: str, project: str = "") -> NotFound:
    """The error for an item that is not there, or not to be seen: the two look alike."""
    kind = {"subject": NoSuchSubject, "experiment": NoSuchExperiment}.get(family, NotFound)
    place = f" in project {project}" if project else "; outside a project only ids are known, not labels"
    return kind(f"no {family or 'item'} {text!r} that you may see{place}")


def label_taken(family: str, label: str, project: str) -> LabelTaken:
    """The error for a label that another item of the project has."""
    return LabelTaken(f"the label {label!r} is in use for a {family} of project {project}; choose another")


def _load(connection: Connection, layout: t.Layout, pk: int, xsi_type: str) -> Item:
    """The item of that primary key, with its shares and repeated parts.

    Cost     one statement for the row, one for the shares, one per repeated part of its type
    """
    typed = layout.typed(xsi_type)
    row = connection.execute(
        select(t.item, typed.table)
        .join_from(t.item, typed.table, typed.table.c.pk == t.item.c.pk)
        .where(t.item.c.pk == pk)
    ).one()
    found = row._mapping
    values: dict[str, Value] = {"ID": found[t.item.c.id]}
    family = layout.family(xsi_type)
    if family != "project":
        values |= {"project": found[t.item.c.project], "label": found[t.item.c.label]}
    for leaf, column in typed.columns.items():
        if found[column] is not None:
            values[typed.fields[leaf].path] = found[column]
    children: dict[str, tuple[Item, ...]] = {}
    shares = connection.execute(
        select(t.membership.c.project, t.membership.c.label)
        .where(t.membership.c.item_pk == pk, t.membership.c.position > 0)
        .order_by(t.membership.c.position)
    ).all()
    if shares and family is not None and family in _SHARE_TYPES:
        kind = _SHARE_TYPES[family]
        children[t.SHARES] = tuple(
            Item(kind, {"label": label, "project": project}) for project, label in shares
        )
    for child in typed.children.values():
        entries = connection.execute(
            select(child.table).where(child.table.c.owner_pk == pk).order_by(child.table.c.entry)
        ).all()
        if entries:
            children[child.multiple.path] = tuple(_entry(child, entry._mapping) for entry in entries)
    return Item(typed.data_type.xsi_type, values, children)


def projects_text(family: str, projects: Sequence[str]) -> str:
    """The `PROJECTS` field: owner first, then shares; a subject's begins with a comma, as in XNAT."""
    text = ",".join(f"<{project}>" for project in projects)
    return f",{text}" if family == "subject" else text


def _entry(child: t.ChildTable, row: Mapping[Any, Any]) -> Item:
    values = {
        child.fields[leaf].path: row[column]
        for leaf, column in child.columns.items()
        if row[column] is not None
    }
    return Item(cast(str, row[child.table.c.entry_type]), values)


def _shares(item: Item) -> tuple[Item, ...]:
    return item.children.get(t.SHARES, ())


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Up to 500 at a time; a subject and what follows it may share a batch."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
