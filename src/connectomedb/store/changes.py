"""Change a document that is there: laid over, put in its place, renamed.

A change keeps the ids of everything that stays, writes only what differs, and keeps the document as it was
in `history`. Assessors and experiments inside a document are documents of their own: they are added and
changed with it, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from connectomedb.errors import Conflict, DocumentError, NoSuchExperiment, NoSuchSubject
from connectomedb.schema.model import Item
from connectomedb.store import tables as t
from connectomedb.store.history import note_change
from connectomedb.store.item_rows import Rows, add_leaves, add_repeated
from connectomedb.store.items import label_taken, not_found
from connectomedb.store.loader import load_documents
from connectomedb.store.merge import clear, key_of, merge
from connectomedb.store.projects import now
from connectomedb.store.rights import need_right
from connectomedb.store.sharing import share
from connectomedb.store.tiers import unseen
from connectomedb.store.unique import refuse_taken
from connectomedb.store.visibility import visible_project, visible_with_root
from connectomedb.store.writer import Holder, ItemWriter, need_legal
from connectomedb.vocabulary.records import Principal

_REFERENCES = (("subject_ID", "subject", NoSuchSubject), ("imageSession_ID", "experiment", NoSuchExperiment))


class Changing:
    """Changes of documents within one transaction that the caller holds."""

    def __init__(
        self, connection: Connection, layout: t.Layout, who: Principal, *, site_id: str, reason: str = ""
    ) -> None:
        self._connection = connection
        self._layout = layout
        self._who = who
        self._site_id = site_id
        self._reason = reason
        self._moment = now()

    def merge_item(self, item_id: str, document: Item, cleared: Iterable[str] = ()) -> Item:
        """What the document says replaces, what it does not say stays; `cleared` paths lose their values.

        Raises  NotFound, AccessDenied; Conflict for another type or project; DocumentError for another ID
        """
        row = self._find(item_id)
        stored = self._load(row.pk)
        said = self._same_item(row, stored, document)
        paths = tuple(cleared)
        unseen(self._connection, self._layout.types, stored, said, paths, self._who)
        self._write(row, stored, clear(merge(stored, said), paths), said)
        return self._load(row.pk)

    def replace_item(self, item_id: str, document: Item) -> Item:
        """The document takes the place of the stored one: what it lacks is deleted.

        Shares, assessors and experiments stay, as they are more than this document; and so does what is
        closed to the user, who cannot say it.

        Raises  as `merge_item`
        """
        row = self._find(item_id)
        stored = self._load(row.pk)
        said = self._same_item(row, stored, document)
        stays = unseen(self._connection, self._layout.types, stored, said, (), self._who)
        kept = {path: stored.values[path] for path in self._identity(row, stored)}
        values = {**stays.values, **said.values, **kept, **_moves(said)}
        wanted = replace(said, values=values, children={**stays.children, **said.children})
        self._write(row, stored, wanted, said)
        return self._load(row.pk)

    def rename(self, item_id: str, label: str, project: str = "") -> None:
        """Another label, in the owner project or in one that the item is shared into.

        Raises  NotFound, AccessDenied, LabelTaken; DocumentError for a label that is not legal
        """
        row = self._find(item_id)
        if row.family not in ("subject", "experiment"):
            raise DocumentError(f"{item_id} has no label of its own; only subjects and experiments have")
        where = project or row.project
        need_right(self._connection, self._who, where, "edit", f"renaming {item_id}")
        need_legal("label", label)
        m = t.membership.c
        current = self._connection.scalar(select(m.label).where(m.item_pk == row.pk, m.project == where))
        if current is None:
            raise not_found(row.family, item_id, where)
        if current == label:
            return
        note_change(self._connection, self._layout, row.pk, self._who, "renamed", self._reason)
        try:
            self._connection.execute(
                update(t.membership).where(m.item_pk == row.pk, m.project == where).values(label=label)
            )
        except IntegrityError as problem:
            raise label_taken(row.family, label, where) from problem
        changed: dict[str, Any] = {"last_modified": self._moment}
        if where == row.project:
            changed["label"] = label
        self._connection.execute(update(t.item).where(t.item.c.pk == row.pk).values(changed))

    def _find(self, item_id: str) -> Row[Any]:
        """The item, when the user may change it; nobody else changes it meanwhile."""
        i = t.item.c
        seen = visible_with_root(t.item, self._who) | (
            (i.family == "project") & visible_project(t.item, self._who)
        )
        row = self._connection.execute(
            select(t.item).where(i.id == item_id, seen).with_for_update()
        ).one_or_none()
        if row is None:
            raise not_found("", item_id)
        right = "manage" if row.family == "project" else "edit"
        need_right(self._connection, self._who, row.project, right, f"changing {item_id}")  # type: ignore[arg-type]  # both are rights
        return row

    def _load(self, pk: int) -> Item:
        return load_documents(self._connection, self._layout, [pk], self._who, contents="parts")[pk]

    def _same_item(self, row: Row[Any], stored: Item, document: Item) -> Item:
        """The document as one about the stored item. Raises when it is about another one."""
        types = self._layout.types
        if not types.is_a(stored.xsi_type, document.xsi_type):
            raise Conflict(f"{row.id} is a {stored.xsi_type} and does not become a {document.xsi_type}")
        values = dict(document.values)
        if row.family in t.ROOTS:
            if str(values.get("ID") or row.id).lower() != row.id.lower():
                raise DocumentError(f"the document says ID {values['ID']}, the item is {row.id}; ids stay")
            values["ID"] = row.id
        if row.family in ("subject", "experiment"):
            if values.get("project", row.project) != row.project:
                raise Conflict(
                    f"{row.id} belongs to {row.project}, not to {values['project']}; share or move it"
                )
            if row.family == "experiment" and values.get("label", row.label) != row.label:
                raise DocumentError(f"{row.id} has the label {row.label}; to change it, rename it")
            values["project"] = row.project
        self._resolve(row, values)
        return replace(document, xsi_type=stored.xsi_type, values=values)

    def _resolve(self, row: Row[Any], values: dict[str, Any]) -> None:
        """Subject and session as ids, wherever a label names them."""
        m, i = t.membership.c, t.item.c
        for leaf, family, missing in _REFERENCES:
            text = values.get(leaf)
            if not text or row.family != "experiment":
                continue
            found = self._connection.scalar(
                select(i.id)
                .join_from(t.item, t.membership, m.item_pk == i.pk)
                .where(m.project == row.project, m.family == family, (i.id == text) | (m.label == text))
                .order_by(i.id != text)
            )
            if found is None:
                raise missing(f"{row.id}: no {family} {text!r} in {row.project}")
            values[leaf] = found

    def _identity(self, row: Row[Any], stored: Item) -> tuple[str, ...]:
        """Leaves that replacing does not take away."""
        if row.family in t.PARTS:
            names: tuple[str, ...] = ("label",) if row.family == "resource" else ("ID", "image_session_ID")
        else:
            names = ("ID", "project", "label", "subject_ID", "imageSession_ID")
        return tuple(name for name in names if name in stored.values)

    # Writing

    def _write(self, row: Row[Any], stored: Item, wanted: Item, said: Item) -> None:
        """Everything in which the wanted document differs from the stored one."""
        outside = {
            path: entries
            for path, entries in said.children.items()
            if path == t.SHARES or self._is_outside(stored.xsi_type, path)
        }
        inner = {path: entries for path, entries in wanted.children.items() if path not in outside}
        inner |= {p: entries for p, entries in stored.children.items() if p == t.SHARES}
        wanted = replace(wanted, children=inner)
        if wanted != stored:
            note_change(self._connection, self._layout, row.root_pk, self._who, "changed", self._reason)
            label = wanted.text("label")
            if row.family == "subject" and label and label != row.label:
                self.rename(row.id, label)
            self._write_inside(row, stored, wanted)
            touched = {row.pk, row.root_pk}
            self._connection.execute(
                update(t.item).where(t.item.c.pk.in_(touched)).values(last_modified=self._moment)
            )
        self._write_outside(row, outside)

    def _is_outside(self, xsi_type: str, path: str) -> bool:
        """Entries of this place are documents of their own."""
        held = self._layout.typed(xsi_type).held.get(path.lower())
        return held is not None and self._layout.family(held.item_type) not in t.PARTS

    def _write_outside(self, row: Row[Any], outside: Mapping[str, tuple[Item, ...]]) -> None:
        """Shares, assessors and experiments in the document: new ones are added, known ones changed."""
        i, m = t.item.c, t.membership.c
        new: list[tuple[str, int, Item]] = []
        for path, entries in outside.items():
            for entry in entries:
                if path == t.SHARES:
                    there = select(m.label).where(m.item_pk == row.pk, m.project == entry.text("project"))
                    if self._connection.scalar(there) is None:
                        share(
                            self._connection,
                            self._layout,
                            row.id,
                            entry.text("project"),
                            entry.text("label"),
                            self._who,
                        )
                    continue
                project = entry.text("project") or row.project
                called = entry.text("label")
                known = self._connection.scalar(
                    select(i.id)
                    .join_from(t.item, t.membership, m.item_pk == i.pk)
                    .where(
                        m.family == "experiment",
                        m.project == project,
                        (i.id == entry.text("ID")) | (m.label == called),
                    )
                )
                if known is None:
                    new.append((path, 0, entry))
                else:
                    self.merge_item(known, entry)
        if new:
            self._writer(row.project).store_inside(_holder(row), new, {})

    def _write_inside(self, row: Row[Any], stored: Item, wanted: Item) -> None:
        """Leaves, repeated parts and items inside one item."""
        typed = self._layout.typed(stored.xsi_type)
        rows = Rows()
        if wanted.values != stored.values:
            add_leaves(wanted, row.pk, typed, rows)
            refuse_taken(self._connection, self._layout, rows.typed, {row.pk: row.id})
            for table in typed.tables:
                self._connection.execute(
                    update(table).where(table.c.pk == row.pk).values(rows.typed[table][0])
                )
            self._write_item_row(row, wanted)
        if self._repeated(typed, wanted) != self._repeated(typed, stored):
            rows = Rows()
            add_repeated(wanted, row.pk, typed, rows)
            refuse_taken(self._connection, self._layout, rows.typed, {row.pk: row.id})
            for child in typed.children.values():
                self._connection.execute(delete(child.table).where(child.table.c.owner_pk == row.pk))
            for table, found in rows.typed.items():
                if found:
                    self._connection.execute(insert(table), found)
        for key, multiple in typed.held.items():
            if self._layout.family(multiple.item_type) in t.PARTS:
                before, after = _entries(stored, key), _entries(wanted, key)
                if before != after:
                    self._write_parts(row, multiple.path, before, after)

    def _write_item_row(self, row: Row[Any], wanted: Item) -> None:
        changed: dict[str, Any] = {}
        if row.family == "experiment":
            day = wanted.values.get("date")
            changed["date"] = day if isinstance(day, date) else None
            for leaf, _, _ in _REFERENCES:
                text = wanted.text(leaf)
                if text:
                    pk, subject_pk = self._connection.execute(
                        select(t.item.c.pk, t.item.c.subject_pk).where(t.item.c.id == text)
                    ).one()
                    changed |= (
                        {"subject_pk": pk}
                        if leaf == "subject_ID"
                        else {"owner_pk": pk, "subject_pk": subject_pk}
                    )
        if not changed:
            return
        self._connection.execute(update(t.item).where(t.item.c.pk == row.pk).values(changed))
        if changed.get("subject_pk", row.subject_pk) != row.subject_pk:
            below = (t.item.c.root_pk == row.pk) | (t.item.c.owner_pk == row.pk)
            self._connection.execute(
                update(t.item).where(below, t.item.c.pk != row.pk).values(subject_pk=changed["subject_pk"])
            )

    def _write_parts(
        self, row: Row[Any], place: str, before: tuple[Item, ...], after: tuple[Item, ...]
    ) -> None:
        """Parts of the same name are changed, new ones added, missing ones deleted."""
        i = t.item.c
        there = self._connection.execute(
            select(t.item).where(i.owner_pk == row.pk, i.place == place).order_by(i.entry)
        ).all()
        known = {_key(item): (found, item) for found, item in zip(there, before, strict=True)}
        new: list[tuple[str, int, Item]] = []
        for entry, part in enumerate(after, 1):
            found, old = known.pop(_key(part), (None, None))
            if found is None or old is None:
                new.append((place, entry, part))
                continue
            if not self._layout.types.is_a(old.xsi_type, part.xsi_type):
                raise Conflict(f"{found.id} is a {old.xsi_type} and does not become a {part.xsi_type}")
            self._write_inside(found, old, replace(part, xsi_type=old.xsi_type))
            self._connection.execute(
                update(t.item).where(i.pk == found.pk).values(entry=entry, last_modified=self._moment)
            )
        for found, _ in known.values():
            self._connection.execute(delete(t.item).where(i.pk.in_(below(self._connection, found.pk))))
        if new:
            kept = self._connection.execute(
                select(i.id).where(i.owner_pk == row.pk, i.place == place)
            ).scalars()
            taken = {place: {one.rpartition("/")[2] for one in kept}}
            self._writer(row.project).store_inside(_holder(row), new, taken)

    def _repeated(self, typed: t.TypedTable, item: Item) -> dict[str, tuple[Item, ...]]:
        return {
            path.lower(): entries
            for path, entries in item.children.items()
            if path.lower() not in typed.held and (path != t.SHARES or typed.family in t.PARTS)
        }

    def _writer(self, project: str) -> ItemWriter:
        return ItemWriter(
            self._connection,
            self._layout,
            user=self._who.login,
            project=project,
            site_id=self._site_id,
            who=self._who,
        )


def below(connection: Connection, pk: int) -> list[int]:
    """A part and everything inside it, as primary keys."""
    found, level = [pk], [pk]
    while level:
        level = list(
            connection.scalars(
                select(t.item.c.pk).where(t.item.c.owner_pk.in_(level), t.item.c.place.is_not(None))
            )
        )
        found += level
    return found


def _holder(row: Row[Any]) -> Holder:
    subject_pk = row.pk if row.family == "subject" else row.subject_pk
    return Holder(row.pk, row.id, row.label, row.project, subject_pk, row.root_pk, row.projects_text)


def _moves(said: Item) -> dict[str, Any]:
    """References that a document may change although replacing keeps them."""
    names = ("label", "subject_ID", "imageSession_ID")
    return {name: said.values[name] for name in names if said.values.get(name)}


def _entries(item: Item, key: str) -> tuple[Item, ...]:
    return next((entries for path, entries in item.children.items() if path.lower() == key), ())


def _key(part: Item) -> object:
    """What names a part within its place; one without a name is known by all that it says."""
    return key_of(part) or tuple(sorted((path, str(value)) for path, value in part.values.items()))
