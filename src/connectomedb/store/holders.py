"""The items that may hold resources, found by an address: for reading, or for changing what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Row, select

from connectomedb.errors import AccessDenied, NoSuchProject, NotFound
from connectomedb.store import tables as t
from connectomedb.store.projects import existing_project, locate_project
from connectomedb.store.rights import Right, need_right
from connectomedb.store.subjects import locate
from connectomedb.store.visibility import reads_project, visible, visible_project
from connectomedb.vocabulary.records import Principal
from connectomedb.vocabulary.resource_paths import ItemAddress, split_names

T = TypeVar("T")
Category = Literal["resources", "scans", "reconstructions", "assessors"]
ALL = ("ALL", "*")
_PLACES = {"": "resources/resource", "in": "in/file", "out": "out/file"}


@dataclass(frozen=True, slots=True)
class ResourceHolder:
    """An item that may hold resources, as one user addressed it.

    `uri` is its address by ids. `folder` is where its files stand in a bundle: the item at the top, then
    what is between.
    """

    pk: int
    id: str
    family: t.Family
    xsi_type: str
    project: str
    label: str
    root_pk: int
    subject_pk: int | None
    projects_text: str
    status: str
    uri: str
    folder: tuple[str, ...]
    category: Category = "resources"
    description: str = ""
    # Of an assessor or a reconstruction: the lists that the address means, in and out.
    places: tuple[str, ...] = ("resources/resource",)

    @property
    def name(self) -> str:
        """Its own ID or label within what holds it."""
        return self.id.rpartition("/")[2] if self.family in t.PARTS else self.label


def find_holders(
    connection: Connection, layout: t.Layout, address: ItemAddress, who: Principal, right: Right | None = None
) -> list[ResourceHolder]:
    """The items that an address names; several only for a list of scans.

    Raises  NotFound for what the user does not see; AccessDenied when they lack the right, or it is locked
    """
    found = _find(connection, layout, address, who, right)
    if right is not None:
        for one in found:
            need_right(connection, who, one.project, right, f"changing files of {one.id}")
            if one.status == "locked":
                raise AccessDenied(f"{one.id} is locked; unlock it before its files change")
    return found


def holders_below(
    connection: Connection, layout: t.Layout, holder: ResourceHolder, who: Principal
) -> list[ResourceHolder]:
    """What holds resources inside an item: scans, reconstructions and assessors of a session, subjects of a
    project, experiments of a subject, level by level; only what the user sees.
    """
    i, m = t.item.c, t.membership.c
    if holder.family == "experiment":
        parts: list[ResourceHolder] = []
        for part, family in (("scans", "scan"), ("reconstructions", "reconstruction")):
            parts += _parts(connection, layout, holder, part, family, "ALL", "")  # type: ignore[arg-type]  # words of the vocabulary
        inside = select(t.item).where(i.owner_pk == holder.pk, i.family == "experiment", visible(t.item, who))
        rows = connection.execute(inside.order_by(i.id)).all()
        return parts + [_assessor(layout, row, row.label, holder, "") for row in rows]
    if holder.family == "subject":
        query = select(t.item).where(
            i.subject_pk == holder.pk, i.family == "experiment", i.owner_pk.is_(None), visible(t.item, who)
        )
        rows = connection.execute(query.order_by(i.id)).all()
        own = [_experiment(layout, row, row.label, (*holder.folder, "experiments")) for row in rows]
    elif holder.family == "project":
        members = select(m.item_pk, m.label.label("called")).where(
            m.project == holder.id, m.family.in_(("subject", "experiment")), reads_project(m.project, who)
        )
        some = members.subquery()
        listed = (
            select(t.item, some.c.called)
            .join_from(t.item, some, some.c.item_pk == i.pk)
            .where(visible(t.item, who), (i.family == "subject") | i.owner_pk.is_(None))
        )
        rows = connection.execute(listed.order_by(i.family.desc(), i.id)).all()
        own = [
            _subject(row, row.called, holder.id, (holder.label, "subjects"))
            if row.family == "subject"
            else _experiment(layout, row, row.called, (holder.label, "experiments"))
            for row in rows
        ]
    else:
        return []
    deeper = (holders_below(connection, layout, one, who) for one in own if one.family == "experiment")
    return own + [one for some_below in deeper for one in some_below]


def labels_of(connection: Connection, pks: Sequence[int]) -> dict[int, str]:
    """The labels of items by primary key; for those that a user has found already."""
    found: dict[int, str] = {}
    for some in chunks(pks):
        query = select(t.item.c.pk, t.item.c.label).where(t.item.c.pk.in_(some))
        found |= {pk: label for pk, label in connection.execute(query)}  # noqa: C416  # typed rows, not tuples
    return found


def chunks(some: Sequence[T], size: int = 500) -> Iterable[Sequence[T]]:
    """Some at a time, as many as a statement takes."""
    return (some[start : start + size] for start in range(0, len(some), size))


# Items by address


def _find(
    connection: Connection, layout: t.Layout, address: ItemAddress, who: Principal, right: Right | None
) -> list[ResourceHolder]:
    i = t.item.c
    project = locate_project(connection, layout, address.project, who) if address.project else ""
    if not (address.subject or address.experiment):
        return [_project(connection, project, who, right)]
    subject = ""
    if address.subject:
        found = locate(connection, "subject", address.subject, who, project=project)
        if not address.experiment:
            row = connection.execute(select(t.item).where(i.id == found.id)).one()
            return [_subject(row, found.label, project, (found.label,))]
        subject = found.id
    found = locate(connection, "experiment", address.experiment, who, project=project, subject=subject)
    row = connection.execute(select(t.item).where(i.id == found.id)).one()
    experiment = _experiment(
        layout, row, found.label, (found.label,), address.side if not address.part else ""
    )
    if address.part == "assessors":
        by_label = select(t.membership.c.item_pk).where(t.membership.c.label == address.names)
        if project:
            by_label = by_label.where(t.membership.c.project == project)
        named = (i.id == address.names) | i.pk.in_(by_label)
        query = select(t.item).where(
            i.owner_pk == experiment.pk, i.family == "experiment", named, visible(t.item, who)
        )
        rows = connection.execute(query.order_by(i.id != address.names)).all()
        if not rows:
            raise NotFound(f"no assessor {address.names!r} of {experiment.id} that you may see")
        return [_assessor(layout, rows[0], rows[0].label, experiment, address.side)]
    if address.part:
        family: t.Family = "scan" if address.part == "scans" else "reconstruction"
        parts = _parts(connection, layout, experiment, address.part, family, address.names, address.side)
        if not parts and address.names not in ALL:
            raise NotFound(f"no {family} {address.names!r} in {experiment.id}")
        return parts
    return [experiment]


def _project(connection: Connection, project: str, who: Principal, right: Right | None) -> ResourceHolder:
    """A project; its record alone, which outsiders of a protected one see, shows no files."""
    i = t.item.c
    query = select(t.item).where(i.family == "project", i.id == existing_project(connection, project))
    law = reads_project(i.id, who) if right is None else visible_project(t.item, who)
    row = connection.execute(query.where(law)).one_or_none()
    if row is None:
        raise NoSuchProject(f"no project {project!r} whose files you may see")
    return _holder(row, row.label, f"/data/projects/{row.id}", (row.id,))


def _subject(row: Row[Any], label: str, project: str, folder: tuple[str, ...]) -> ResourceHolder:
    before = f"/data/projects/{project}" if project else "/data"
    whole = folder if len(folder) == 1 else (*folder, label)
    return _holder(row, label, f"{before}/subjects/{row.id}", whole)


def _experiment(
    layout: t.Layout, row: Row[Any], label: str, folder: tuple[str, ...], side: str = ""
) -> ResourceHolder:
    whole = folder if len(folder) == 1 else (*folder, label)
    places = _places(layout, row.xsi_type, side, plain_first=True)
    return _holder(row, label, f"/data/experiments/{row.id}", whole, places=places)


def _assessor(
    layout: t.Layout, row: Row[Any], label: str, session: ResourceHolder, side: str
) -> ResourceHolder:
    places = _places(layout, row.xsi_type, side, plain_first=False)
    folder = (*session.folder, "assessors", label)
    uri = f"/data/experiments/{row.id}"
    return _holder(row, label, uri, folder, "assessors", row.xsi_type, places)


def _parts(
    connection: Connection,
    layout: t.Layout,
    session: ResourceHolder,
    part: Literal["scans", "reconstructions"],
    family: t.Family,
    names: str,
    side: str,
) -> list[ResourceHolder]:
    i = t.item.c
    rows = connection.execute(
        select(t.item).where(i.owner_pk == session.pk, i.family == family).order_by(i.entry)
    ).all()
    kinds: dict[int, str | None] = {}
    for xsi_type in {row.xsi_type for row in rows}:
        typed = layout.typed(xsi_type)
        if "type" in typed.columns:
            pks = [row.pk for row in rows if row.xsi_type == xsi_type]
            for some in chunks(pks):
                query = typed.select({"type": "type"}).where(typed.columns["type"].table.c.pk.in_(some))
                kinds |= {pk: kind for pk, kind in connection.execute(query).all()}  # noqa: C416  # typed rows, not tuples
    if names not in ALL:
        wanted = split_names(names)
        by_id = [row for row in rows if row.id.rpartition("/")[2] in wanted]
        by_kind = [row for row in rows if kinds.get(row.pk) in wanted and row not in by_id]
        rows = sorted([*by_id, *by_kind], key=lambda row: row.entry)
    found = []
    for row in rows:
        name, kind = row.id.rpartition("/")[2], kinds.get(row.pk) or ""
        shown = f"{name}-{re.sub('[^A-Za-z0-9_.-]', '_', kind)}" if kind and part == "scans" else name
        places = ("file",) if part == "scans" else _places(layout, row.xsi_type, side, plain_first=False)
        uri = f"/data/experiments/{row.id}"
        found.append(_holder(row, name, uri, (*session.folder, part, shown), part, kind, places))
    return found


def _places(layout: t.Layout, xsi_type: str, side: str, *, plain_first: bool) -> tuple[str, ...]:
    """Where resources of a type stand; the first one takes new ones."""
    there = layout.typed(xsi_type).held
    if side:
        if _PLACES[side] not in there:
            raise NotFound(f"{xsi_type} has no {side}; its resources are at …/resources")
        return (_PLACES[side],)
    wanted = ("", "out", "in") if plain_first else ("out", "", "in")
    return tuple(_PLACES[one] for one in wanted if _PLACES[one] in there)


def _holder(
    row: Row[Any],
    label: str,
    uri: str,
    folder: tuple[str, ...],
    category: Category = "resources",
    description: str = "",
    places: tuple[str, ...] = ("resources/resource",),
) -> ResourceHolder:
    subject_pk = row.pk if row.family == "subject" else row.subject_pk
    return ResourceHolder(
        row.pk,
        row.id,
        row.family,
        row.xsi_type,
        row.project,
        label,
        row.root_pk,
        subject_pk,
        row.projects_text,
        row.status,
        uri,
        folder,
        category,
        description,
        places,
    )
