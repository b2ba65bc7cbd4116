"""Documents into their tables: an item, the items inside it, and every repeated part, in bulk.

Each batch is numbered first, then spread over rows by table, then written with one statement per table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, select, update

from connectomedb.errors import Conflict, DocumentError, LabelTaken, NoSuchExperiment, NoSuchSubject, NotValid
from connectomedb.schema.model import Item
from connectomedb.store import tables as t
from connectomedb.store.item_rows import Rows, add_leaves, add_repeated
from connectomedb.store.projects import LEGAL_NAME, now
from connectomedb.store.rights import check_target
from connectomedb.store.statements import Refused, insert_rows
from connectomedb.store.supply import COUNTERS, Holder, Needs, Supply, take
from connectomedb.store.unique import refuse_taken
from connectomedb.vocabulary.records import Accessibility, Principal

__all__ = ["Holder", "Imported", "ItemWriter", "Order", "need_legal", "projects_text", "store_orders", "take"]

_BATCH = 500
_SEGMENTS: Mapping[str, tuple[str, str]] = {
    "scan": ("scans", "scans"),
    "reconstruction": ("reconstructions", "reconstructions"),
    "resource": ("resources", "resources"),
}
_ILLEGAL_IN_PARTS = re.compile(r"[/\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Imported:
    """A document with the facts that another site states beside it; for administrators.

    `numbers` gives resources the numbers they had, by their place in the document:
    `resources/resource[1]`, `scans/scan[2]/file[1]`.
    """

    item: Item
    insert_date: datetime | None = None
    insert_user: str = ""
    last_modified: datetime | None = None
    accessibility: Accessibility = "private"
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """Documents that one caller wants stored; `who` and `project` as for `ItemWriter`."""

    documents: Sequence[Item | Imported]
    user: str
    project: str
    who: Principal | None = None


def projects_text(family: str, projects: Sequence[str]) -> str:
    """The `PROJECTS` field: owner first, then shares; a subject's begins with a comma, as in XNAT."""
    text = ",".join(f"<{project}>" for project in projects)
    return f",{text}" if family == "subject" else text


class ItemWriter:
    """Writes items within one transaction that the caller holds."""

    def __init__(
        self,
        connection: Connection,
        layout: t.Layout,
        *,
        user: str,
        project: str,
        site_id: str,
        who: Principal | None = None,
        supply: Supply | None = None,
    ) -> None:
        """`who` is asked for rights; without one the caller answers for the documents, as an import does.

        Writers of one transaction can share what they draw and look up.
        """
        self._connection = connection
        self._layout = layout
        self._user = user
        self._who = who
        self._default_project = project
        self._moment = now()
        self._supply = supply or Supply(connection, site_id)
        self._projects: dict[str, str] = {}
        self.ids: list[str] = []

    def store(self, items: Iterable[Item | Imported]) -> None:
        """Store every item; their ids are in `ids`, those of items inside them left out.

        Raises   NotValid with every reason; LabelTaken, Conflict, NoSuchProject, NoSuchSubject,
                 NoSuchExperiment
        Cost     a handful of statements per 500 items
        """
        reasons: list[str] = []
        for batch in _batches(items):
            rows = Rows()
            self._keep_numbers(batch)
            _prepare([(self, [one.item for one in batch])])
            reasons += self._add_batch(batch, rows)
            if not reasons:
                self._flush(rows)
        if reasons:
            raise NotValid(reasons)

    def store_inside(
        self, holder: Holder, parts: Sequence[tuple[str, int, Item]], taken: Mapping[str, set[str]]
    ) -> None:
        """Put items into a document that is there: each with its place and entry.

        `taken` are the names that each place has already.
        """
        rows = Rows()
        inside = [part for _, _, part in parts]
        _prepare([(self, [self._within(part, holder) for part in inside])])
        for place, entry, part in parts:
            if self._layout.family(part.xsi_type) in t.PARTS:
                names = taken.get(place, set())
                self._add_part(Imported(part), part, place, entry, holder, names, rows)
            else:
                self._add_root(Imported(part), part, holder, rows)
        self._flush(rows)

    def _within(self, part: Item, holder: Holder) -> Item:
        """The part with the project that it takes over, as names are looked up there."""
        if self._layout.family(part.xsi_type) in t.PARTS or part.text("project"):
            return part
        return replace(part, values={**part.values, "project": holder.project})

    # Numbers and names, a batch at a time

    def _keep_numbers(self, batch: Sequence[Imported]) -> None:
        """Numbers that an import brings are never drawn again."""
        highest = max((number for one in batch for number in one.numbers.values()), default=0)
        c = t.counter.c
        if highest:
            self._connection.execute(
                update(t.counter).where(c.name == "resource", c.value < highest).values(value=highest)
            )

    def _count(self, items: Sequence[Item], needs: Needs) -> dict[tuple[str, str], set[str]]:
        """Add what the items need; given are the names of subjects and sessions, by (family, project)."""
        numbers = needs.numbers
        named: dict[tuple[str, str], set[str]] = {}
        for item, project in self._every_item(items, self._default_project):
            family = self._layout.family(item.xsi_type)
            numbers["pk"] += 1
            if family == "resource":
                numbers["resource"] += 1
            elif family is not None and family in COUNTERS:
                if not item.values.get("ID"):
                    numbers[family] += 1
                needs.projects.add(project)
                needs.projects.update(share.text("project") for share in _shares(item))
            elif family == "project":
                self._projects[item.text("ID")] = item.text("ID")
            if family == "experiment":
                for leaf, kind in (("subject_ID", "subject"), ("imageSession_ID", "experiment")):
                    if item.text(leaf):
                        named.setdefault((kind, project), set()).add(item.text(leaf))
        return named

    def _look_up(self, named: Mapping[tuple[str, str], set[str]]) -> None:
        for (family, project), texts in named.items():
            self._supply.look_up(family, self._project(project), sorted(texts))

    def _every_item(self, items: Iterable[Item], project: str) -> Iterator[tuple[Item, str]]:
        """The items and all items inside them, each with the project that it names or takes over."""
        for item in items:
            named = item.text("project") or project
            yield item, named
            if self._layout.is_stored(item.xsi_type):
                held = self._layout.typed(item.xsi_type).held
                for path, entries in item.children.items():
                    if path.lower() in held:
                        yield from self._every_item(entries, named)

    # One item

    def _add_root(
        self, given: Imported, item: Item, holder: Holder | None, rows: Rows, spot: str = ""
    ) -> str:
        """A project, a subject or an experiment; `holder` is the item whose document it stands in."""
        family = self._layout.family(item.xsi_type)
        if family not in ("project", *COUNTERS) or not self._layout.is_stored(item.xsi_type):
            raise DocumentError(f"{item.xsi_type} is no project, subject or experiment that can be stored")
        if family == "project":
            return self._add_project(given, item, rows)
        named = item.text("project") or (holder.project if holder else self._default_project)
        project = self._project(named)
        item_id = item.text("ID") or self._supply.fresh_id(family)
        label = item.text("label") or item_id
        need_legal("ID", item_id)
        need_legal("label", label)
        memberships = [
            {"project": project, "label": label, **dict.fromkeys(t.SHARE_LEAVES.values())},
            *(self._share(one, label) for one in _shares(item)),
        ]
        belongs: dict[str, Any] = {}
        subject = self._belongs_to("subject", item, "subject_ID", project, holder)
        if subject is not None:
            belongs["subject_ID"] = subject.id
        session = self._belongs_to("experiment", item, "imageSession_ID", project, holder)
        if session is not None:
            belongs["imageSession_ID"] = session.id
        pk = self._supply.number("pk")
        subject_pk = subject.pk if subject else session.subject_pk if session else None
        text = projects_text(family, [one["project"] for one in memberships])
        own = Holder(pk, item_id, label, project, pk if family == "subject" else subject_pk, pk, text, spot)
        # Also under the projects that it is shared into: what follows may name it there.
        for one in memberships:
            for name in (item_id, one["label"]):
                self._supply.add(family, one["project"], name, own)
        day = item.values.get("date")
        rows.items.append(
            self._item_row(given, own, family, item)
            | {
                "subject_pk": subject_pk,
                "owner_pk": session.pk if session else None,
                "date": day if isinstance(day, date) else None,
            }
        )
        for position, one in enumerate(memberships):
            rows.memberships.append({"item_pk": pk, "family": family, "position": position, **one})
        whole = replace(item, values={**item.values, **belongs}) if belongs else item
        self._add_content(given, whole, own, rows)
        return item_id

    def _share(self, share: Item, label: str) -> dict[str, Any]:
        """A share as its row says it; `subject_ID` is left out, as the document around it says it too."""
        extra = set(share.values) - {"label", "project", "subject_ID", *t.SHARE_LEAVES}
        if extra or share.children:
            raise DocumentError(f"a share has no place for {', '.join(sorted(extra) or share.children)}")
        row: dict[str, Any] = {column: share.values.get(leaf) for leaf, column in t.SHARE_LEAVES.items()}
        name = share.text("label") or label
        need_legal("label", name)
        return {"project": self._project(share.text("project")), "label": name, **row}

    def _add_project(self, given: Imported, item: Item, rows: Rows) -> str:
        project = item.text("ID") or self._default_project
        need_legal("ID", project)
        pk = self._supply.number("pk")
        own = Holder(pk, project, project, project, None, pk, f"<{project}>")
        rows.items.append(self._item_row(given, own, "project", item))
        rows.projects.append(
            {"pk": pk, "id": project, "folded_id": project.lower(), "accessibility": given.accessibility}
        )
        rows.memberships.append(
            {"item_pk": pk, "family": "project", "position": 0, "project": project, "label": project}
            | dict.fromkeys(t.SHARE_LEAVES.values())
        )
        self._projects[project] = project
        named = {"name": project, "secondary_ID": project, **item.values}
        self._add_content(given, replace(item, values=named), own, rows)
        return project

    def _add_part(
        self, given: Imported, part: Item, place: str, entry: int, holder: Holder, taken: set[str], rows: Rows
    ) -> None:
        """A scan, a reconstruction or a resource inside its owner."""
        family = self._layout.family(part.xsi_type)
        if family is None or not self._layout.is_stored(part.xsi_type):
            raise DocumentError(f"{place}: {part.xsi_type} is abstract; say with xsi:type which kind it is")
        spot = f"{holder.spot}/{place}[{entry}]".lstrip("/")
        number: int | None = None
        if family == "resource":
            number = given.numbers.get(spot) or self._supply.number("resource")
            label, called = part.text("label"), part.text("label") or str(number)
        else:
            label = called = part.text("ID") or _free_number(entry, taken)
            part = replace(part, values={**part.values, "ID": label})
        if _ILLEGAL_IN_PARTS.search(called):
            raise DocumentError(f"{place}: {called!r} is not legal: no / and no control characters")
        if called in taken:
            raise DocumentError(f"{place}: {called!r} stands there twice")
        taken.add(called)
        pk = self._supply.number("pk")
        own = replace(
            holder, pk=pk, id=f"{holder.id}/{_segment(family, place)}/{called}", label=label, spot=spot
        )
        rows.items.append(
            self._item_row(given, own, family, part)
            | {"owner_pk": holder.pk, "place": place, "entry": entry, "number": number}
        )
        self._add_content(given, part, own, rows)

    def _item_row(self, given: Imported, own: Holder, family: t.Family, item: Item) -> dict[str, Any]:
        """The row of `item`; every row of a batch has the same keys."""
        inserted = given.insert_date or self._moment
        return {
            "pk": own.pk,
            "id": own.id,
            "family": family,
            "xsi_type": self._layout.typed(item.xsi_type).data_type.xsi_type,
            "project": own.project,
            "label": own.label,
            "subject_pk": None if own.subject_pk == own.pk else own.subject_pk,
            "owner_pk": None,
            "root_pk": own.root_pk,
            "place": None,
            "entry": None,
            "number": None,
            "date": None,
            "projects_text": own.projects_text,
            "status": "active",
            "insert_date": inserted,
            "insert_user": given.insert_user or self._user,
            "last_modified": given.last_modified or inserted,
        }

    def _add_content(self, given: Imported, item: Item, own: Holder, rows: Rows) -> None:
        """The typed row of an item, its repeated parts and the items inside it."""
        typed = self._layout.typed(item.xsi_type)
        add_leaves(item, own.pk, typed, rows)
        add_repeated(item, own.pk, typed, rows)
        for path, entries in item.children.items():
            if path.lower() in typed.held:
                self._add_held(given, typed.held[path.lower()].path, entries, own, rows)

    def _add_held(
        self, given: Imported, place: str, entries: Sequence[Item], own: Holder, rows: Rows
    ) -> None:
        taken: set[str] = set()
        for entry, part in enumerate(entries, 1):
            family = self._layout.family(part.xsi_type)
            if family in t.PARTS:
                self._add_part(given, part, place, entry, own, taken, rows)
            else:
                self._add_root(given, part, own, rows, f"{own.spot}/{place}[{entry}]".lstrip("/"))

    # Names

    def _belongs_to(
        self, family: str, item: Item, leaf: str, project: str, holder: Holder | None
    ) -> Holder | None:
        """The subject or session that an experiment names, or in whose document it stands."""
        if leaf.lower() not in self._layout.typed(item.xsi_type).columns:
            return None
        text = item.text(leaf)
        if not text:
            inside = holder is not None and (holder.subject_pk == holder.pk) == (family == "subject")
            return holder if inside else None
        if holder is not None and text == holder.id:
            return holder
        found = self._supply.known(family, project, text)
        if found is None:
            missing = NoSuchSubject if family == "subject" else NoSuchExperiment
            raise missing(f"{item.xsi_type} {item.text('label')}: no {family} {text!r} in {project}")
        return found

    def _project(self, text: str) -> str:
        """Id of a project in which the documents may be stored."""
        if text not in self._projects:
            project = self._supply.project(text)
            if self._who is not None:
                check_target(self._connection, project, text, self._who, "create", "storing documents")
            self._projects[text] = project
        return self._projects[text]

    # Rows

    def _add_batch(self, batch: Sequence[Imported], rows: Rows) -> list[str]:
        """Make the rows of a batch that was prepared; given are the reasons against its documents."""
        reasons: list[str] = []
        for one in batch:
            try:
                self.ids.append(self._add_root(one, one.item, None, rows))
            except DocumentError as problem:
                reasons.append(f"{_called(one.item)}: {problem}")
        return reasons

    def _flush(self, rows: Rows) -> None:
        self._refuse_deleted(rows)
        refuse_taken(self._connection, self._layout, rows.typed, {row["pk"]: row["id"] for row in rows.items})
        try:
            insert_rows(self._connection, rows.by_table())
        except Refused as refusal:
            problem = refusal.__cause__
            if refusal.table == t.membership.name:
                raise _label_taken_in(rows.memberships) from problem
            if refusal.table in (t.item.name, t.project.name):
                ids = _some(row["id"] for row in rows.items)
                raise Conflict(f"an id is in use already (among {ids}); nothing was stored") from problem
            raise

    def _refuse_deleted(self, rows: Rows) -> None:
        """The id of something that was deleted is not given again: old references would mean another."""
        b = t.tombstone.c
        ids = [
            row["id"] for row in rows.items if row["place"] is None and row["id"] not in self._supply.drawn
        ]
        for start in range(0, len(ids), _BATCH):
            gone = self._connection.scalar(
                select(b.id).where(b.id.in_(ids[start : start + _BATCH]), b.family.in_(t.ROOTS)).limit(1)
            )
            if gone is not None:
                raise Conflict(
                    f"{gone} was the id of something deleted, and is not given again; choose another"
                )


def store_orders(
    layout: t.Layout, site_id: str, connection: Connection, orders: Sequence[Order]
) -> list[tuple[str, ...]]:
    """Store small batches of several callers as if they were one; given are the ids of each.

    Raises   as `ItemWriter.store`, for the first that is to blame: nothing of the others is stored then
    Cost     the statements of one batch
    """
    supply = Supply(connection, site_id)
    writers = [
        ItemWriter(
            connection, layout, user=o.user, project=o.project, site_id=site_id, who=o.who, supply=supply
        )
        for o in orders
    ]
    batches = [list(chain.from_iterable(_batches(order.documents))) for order in orders]
    for writer, batch in zip(writers, batches, strict=True):
        writer._keep_numbers(batch)
    _prepare([(w, [one.item for one in batch]) for w, batch in zip(writers, batches, strict=True)])
    rows = Rows()
    for writer, batch in zip(writers, batches, strict=True):
        reasons = writer._add_batch(batch, rows)
        if reasons:
            raise NotValid(reasons)
    for writer in writers[:1]:
        writer._flush(rows)
    return [tuple(writer.ids) for writer in writers]


def _prepare(orders: Sequence[tuple[ItemWriter, Sequence[Item]]]) -> None:
    """Take all numbers that the items need, and look up all that they name, for writers of one supply."""
    needs = Needs()
    named = [(writer, writer._count(items, needs)) for writer, items in orders]
    for writer, _ in orders[:1]:
        writer._supply.draw(needs)
    for writer, names in named:
        writer._look_up(names)


def need_legal(what: str, text: str) -> None:
    """Raises DocumentError for an id or label that no address can hold."""
    if not LEGAL_NAME.match(text):
        raise DocumentError(f"the {what} {text!r} is not legal: letters, digits, _ and - only")


def _called(item: Item) -> str:
    return item.text("label") or item.text("ID") or item.xsi_type


def _segment(family: t.Family, place: str) -> str:
    """The part of a path between an owner and a part: `scans`; `out/resources` for `out/file`."""
    usual, name = _SEGMENTS[family]
    around = place.rpartition("/")[0]
    return name if around in ("", usual) else f"{around}/{name}"


def _free_number(entry: int, taken: set[str]) -> str:
    """An ID for a scan that came without one."""
    while str(entry) in taken:
        entry += 1
    return str(entry)


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


def _shares(item: Item) -> tuple[Item, ...]:
    return item.children.get(t.SHARES, ())


def _batches(items: Iterable[Item | Imported]) -> Iterator[list[Imported]]:
    """Up to 500 at a time; a subject and what follows it may share a batch."""
    batch: list[Imported] = []
    for item in items:
        batch.append(item if isinstance(item, Imported) else Imported(item))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
