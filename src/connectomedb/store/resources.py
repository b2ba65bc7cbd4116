"""Resources: labelled folders of files, each an item inside another one.

`holders` finds what they are in, `resource_files` knows what is in them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypedDict

from sqlalchemy import Connection, Row, Select, select, update

from connectomedb.errors import Conflict, DocumentError, NotFound
from connectomedb.schema.model import Item
from connectomedb.store import tables as t
from connectomedb.store.deletion import delete_item
from connectomedb.store.history import note_change
from connectomedb.store.holders import ALL, ResourceHolder, chunks
from connectomedb.store.projects import now
from connectomedb.store.resource_files import count_files
from connectomedb.store.writer import Holder, ItemWriter
from connectomedb.vocabulary.records import Principal
from connectomedb.vocabulary.resource_paths import split_names

CATALOG = "xnat:resourceCatalog"


class NoSuchResource(NotFound):
    """No resource of that number or label in an item that is seen."""


class ResourceFacts(TypedDict, total=False):
    """What may be said of a new resource."""

    facts: Mapping[str, str]
    tags: Sequence[str]
    reason: str


@dataclass(frozen=True, slots=True)
class ResourceRecord:
    """One resource: its number on the site, its label ('' for none) and what is said of it."""

    pk: int
    id: str
    number: int
    label: str
    xsi_type: str
    place: str
    holder: ResourceHolder
    n_files: int = 0
    size_bytes: int = 0
    format: str = ""
    content: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """Its address by ids."""
        side = self.place.partition("/")[0] if self.holder.family == "reconstruction" else ""
        return f"{self.holder.uri}{f'/{side}' if side else ''}/resources/{self.number}"

    @property
    def called(self) -> str:
        """Its label, its number where it has none."""
        return self.label or str(self.number)


def list_resources(
    connection: Connection, layout: t.Layout, holders: Sequence[ResourceHolder]
) -> list[ResourceRecord]:
    """The resources of some items, in their order; counts as they are, not as a document once said."""
    by_pk = {holder.pk: holder for holder in holders}
    i = t.item.c
    rows: list[Row[Any]] = []
    for some in chunks(list(by_pk)):
        query = select(t.item).where(i.owner_pk.in_(some), i.family == "resource", i.status != "deleted")
        rows += connection.execute(query).all()
    rows = [row for row in rows if row.place in by_pk[row.owner_pk].places]
    order = {pk: n for n, pk in enumerate(by_pk)}
    rows.sort(key=lambda row: (order[row.owner_pk], row.place, row.entry))
    counts = count_files(connection, [row.pk for row in rows])
    said = _said(connection, layout, rows)
    found = []
    for row in rows:
        leaves, tags = said.get(row.pk, ({}, ()))
        n_files, size_bytes = counts.get(row.pk, (leaves.get("file_count"), leaves.get("file_size")))
        found.append(
            ResourceRecord(
                row.pk,
                row.id,
                row.number,
                row.label,
                row.xsi_type,
                row.place,
                by_pk[row.owner_pk],
                n_files or 0,
                size_bytes or 0,
                format=leaves.get("format") or "",
                content=leaves.get("content") or "",
                description=leaves.get("description") or "",
                tags=tags,
            )
        )
    return found


def find_resources(
    connection: Connection, layout: t.Layout, holders: Sequence[ResourceHolder], names: str
) -> list[ResourceRecord]:
    """The resources of these items that a part of an address names: numbers, labels, or `ALL`.

    Raises  NotFound when there is none
    """
    every = list_resources(connection, layout, holders)
    if names in ALL:
        return every
    wanted = split_names(names)
    by_number = [one for one in every if str(one.number) in wanted]
    found = by_number or [one for one in every if (one.label or None) in wanted]
    if not found:
        where = holders[0].id if len(holders) == 1 else f"{len(holders)} items"
        raise NoSuchResource(f"no resource {names!r} in {where}; its list is at …/resources")
    return found


def create_resource(
    connection: Connection,
    layout: t.Layout,
    holder: ResourceHolder,
    label: str,
    who: Principal,
    *,
    site_id: str,
    facts: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    reason: str = "",
) -> ResourceRecord:
    """A new empty resource.

    Raises  Conflict when there is one of that label; DocumentError for a label that no address can hold
    """
    if len(label) > 255 or re.search(r"[\\/\x00-\x1f\x7f]", label) or label in (".", "..", *ALL):
        raise DocumentError(f"the label {label[:80]!a} is not legal: no /, no \\, no control characters")
    i = t.item.c
    connection.execute(select(i.pk).where(i.pk == holder.pk).with_for_update())
    there = connection.execute(select(i.id, i.place, i.entry).where(i.owner_pk == holder.pk)).all()
    place = holder.places[0]
    taken = {row.id.rpartition("/")[2] for row in there if row.place == place}
    if label and label in taken:
        raise Conflict(f"Specified resource already exists: {label!r} in {holder.id}; add files to it")
    entry = max((row.entry for row in there if row.place == place), default=0) + 1
    values = {"label": label, **(facts or {})}
    children = {"tags/tag": tuple(_tag(tag) for tag in tags)} if tags else {}
    item = Item(CATALOG, {leaf: text for leaf, text in values.items() if text}, children)
    note_change(connection, layout, holder.root_pk, who, "changed", reason)
    own = Holder(
        holder.pk,
        holder.id,
        holder.label,
        holder.project,
        holder.subject_pk,
        holder.root_pk,
        holder.projects_text,
    )
    writer = ItemWriter(connection, layout, user=who.login, project=holder.project, site_id=site_id, who=who)
    writer.store_inside(own, [(place, entry, item)], {place: taken})
    connection.execute(update(t.item).where(i.pk == holder.root_pk).values(last_modified=now()))
    made = select(i.number, i.label).where(i.owner_pk == holder.pk, i.place == place, i.entry == entry)
    number, _ = connection.execute(made).one()
    return find_resources(connection, layout, [holder], str(number))[0]


def found_or_made(
    connection: Connection,
    layout: t.Layout,
    holder: ResourceHolder,
    name: str,
    who: Principal,
    *,
    site_id: str,
    reason: str = "",
) -> ResourceRecord:
    """The resource of that number or label; a label that is new makes one.

    Raises  NotFound for a number that is none: a label of digits is made by name only
    """
    try:
        return find_resources(connection, layout, [holder], name)[0]
    except NoSuchResource:
        if name.isdigit():
            raise
    # Whoever makes the same one at the same time has done so after this.
    connection.execute(select(t.item.c.pk).where(t.item.c.pk == holder.pk).with_for_update())
    label = "" if name == "NULL" else name.replace("[COMMA]", ",").replace("[SLASH]", "/")
    with suppress(NoSuchResource):
        return find_resources(connection, layout, [holder], name)[0]
    return create_resource(connection, layout, holder, label, who, site_id=site_id, reason=reason)


def delete_resource(
    connection: Connection, layout: t.Layout, resource: ResourceRecord, who: Principal, reason: str
) -> list[str]:
    """Delete a resource with the entries of its files; gives the keys that nothing points to any more."""
    return list(delete_item(connection, layout, resource.id, who, reason).keys)


def _said(
    connection: Connection, layout: t.Layout, rows: Sequence[Row[Any]]
) -> dict[int, tuple[dict[str, Any], tuple[str, ...]]]:
    """What the documents of some resources say, and their tags, by primary key."""
    found: dict[int, tuple[dict[str, Any], tuple[str, ...]]] = {}
    leaves = ("format", "content", "description", "file_count", "file_size")
    for xsi_type in {row.xsi_type for row in rows}:
        typed = layout.typed(xsi_type)
        names = {leaf: leaf for leaf in leaves if leaf in typed.columns}
        for some in chunks([row.pk for row in rows if row.xsi_type == xsi_type]):
            query: Select[Any] = typed.select(names).where(typed.table.c.pk.in_(some))
            words: dict[int, list[str]] = {}
            if (child := typed.children.get("tags/tag")) is not None:
                c = child.table.c
                name, text = (child.columns[leaf].label(leaf) for leaf in ("name", "tag"))
                tags = select(c.owner_pk, name, text)
                for pk, called, value in connection.execute(
                    tags.where(c.owner_pk.in_(some)).order_by(c.owner_pk, c.entry)
                ):
                    words.setdefault(pk, []).append(f"{called}={value}" if called else value or "")
            for row in connection.execute(query).mappings():
                found[row["pk"]] = (dict(row), tuple(words.get(row["pk"], ())))
    return found


def _tag(text: str) -> Item:
    name, equals, value = text.partition("=")
    values = {"name": name, "tag": value} if equals else {"tag": text}
    return Item("xnat:abstractResource_tag", values)
