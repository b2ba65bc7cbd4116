"""One request's worth of change to one item, in one transaction: checked, laid over or put in place, renamed.

What a revision is: a digest of the document as the user reads it, so that an edit of what somebody else
changed meanwhile can be refused before it is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select, update

from connectomedb.errors import AccessDenied, Conflict, NotFound, Outdated
from connectomedb.schema.model import Item, Value
from connectomedb.store import tables as t
from connectomedb.store.changes import Changing
from connectomedb.store.engine import Dialect
from connectomedb.store.history import note_change
from connectomedb.store.items import load_item, load_project
from connectomedb.store.projects import now
from connectomedb.store.rights import need_right
from connectomedb.store.tiers import without_closed
from connectomedb.store.visibility import visible_project, visible_with_root
from connectomedb.store.writer import Imported, ItemWriter
from connectomedb.vocabulary.records import Accessibility, Principal

PLACES = {"scan": "scans/scan", "reconstruction": "reconstructions/reconstructedImage"}


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to become of an item.

    `whole` puts the document in the place of the stored one; else it is laid over it. `label` renames, in
    `project` when it is not the owner's. With `expected` the item must be at one of these revisions.
    """

    document: Item | None = None
    cleared: tuple[str, ...] = ()
    whole: bool = False
    label: str = ""
    project: str = ""
    status: str = ""
    expected: Collection[str] = ()
    reason: str = ""


def revision(item: Item) -> str:
    """A text that is another one for every other document."""
    return hashlib.sha256(repr(_plain(item)).encode()).hexdigest()[:32]


def apply_edit(
    connection: Connection, layout: t.Layout, item_id: str, edit: Edit, who: Principal, *, site_id: str
) -> None:
    """Do it all, or nothing.

    Raises  Outdated; otherwise as `Changing.merge_item`, `replace_item` and `rename`
    """
    if edit.expected:
        need_revision(connection, layout, item_id, edit.expected, who)
    changing = Changing(connection, layout, who, site_id=site_id, reason=edit.reason)
    if edit.document is not None:
        if edit.whole:
            changing.replace_item(item_id, edit.document)
        else:
            changing.merge_item(item_id, edit.document, edit.cleared)
    if edit.label:
        changing.rename(item_id, edit.label, edit.project)
    if edit.status:
        _set_status(connection, layout, item_id, edit.status, who, edit.reason)


def need_revision(
    connection: Connection, layout: t.Layout, item_id: str, expected: Collection[str], who: Principal
) -> None:
    """Raises Outdated unless the user reads one of these revisions; nobody changes the item afterwards."""
    i = t.item.c
    seen = visible_with_root(t.item, who) | ((i.family == "project") & visible_project(t.item, who))
    row = connection.execute(
        select(i.family, i.root_pk).where(i.id == item_id, seen).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(f"no item {item_id!r} that you may see")
    if "*" in expected:
        return
    # A part is changed through what holds it.
    connection.execute(select(i.pk).where(i.pk == row.root_pk).with_for_update())
    load = load_project if row.family == "project" else load_item
    item = without_closed(connection, layout.types, load(connection, layout, item_id, who), who)
    if revision(item) not in expected:
        raise Outdated(f"{item_id} was changed meanwhile; read it again and repeat your change on that")


def add_part(
    connection: Connection,
    layout: t.Layout,
    session_id: str,
    family: t.Family,
    part: Item,
    who: Principal,
    *,
    site_id: str,
    reason: str = "",
) -> str:
    """Put a new scan or reconstruction into a session; its ID there is returned, a free number without one.

    Raises  NotFound, AccessDenied; Conflict when the ID is in use
    """
    i, holder = t.item.c, t.item.alias()
    connection.execute(select(i.pk).where(i.id == session_id).with_for_update())
    held = select(t.item.c.label).join_from(t.item, holder, i.owner_pk == holder.c.pk)
    taken = set(connection.scalars(held.where(holder.c.id == session_id, i.family == family)))
    name = part.text("ID")
    if name in taken:
        raise Conflict(f"{session_id} has a {family} {name} already")
    if not name:
        name = str(next(n for n in range(1, len(taken) + 2) if str(n) not in taken))
    session_type = connection.scalar(select(i.xsi_type).where(i.id == session_id)) or t.SESSION
    named = replace(part, values={**part.values, "ID": name})
    changing = Changing(connection, layout, who, site_id=site_id, reason=reason)
    changing.merge_item(session_id, Item(session_type, {}, {PLACES[family]: (named,)}))
    return name


def found_project(
    connection: Connection,
    layout: t.Layout,
    dialect: Dialect,
    document: Item,
    who: Principal,
    accessibility: Accessibility,
    *,
    site_id: str,
) -> None:
    """A new project that belongs to the user.

    Raises  AccessDenied for the id of a project that was deleted, or that the user may not see; Conflict
            when another project is called so
    """
    project = document.text("ID")
    folded, b = project.lower(), t.tombstone.c
    there = connection.scalar(select(t.project.c.pk).where(t.project.c.folded_id == folded))
    gone = connection.scalar(
        select(b.pk).where(b.family == "project", dialect.lower(b.id) == folded).limit(1)
    )
    if there is not None or gone is not None:
        raise AccessDenied(f"the project id {project} is in use, or was, and is not given again")
    names = {"ID": project, "name": project, "secondary_ID": project, **document.values}
    need_free_names(connection, layout, dialect, replace(document, values=names), project)
    document = _with_protocol(document, project)
    writer = ItemWriter(connection, layout, user=who.login, project=project, site_id=site_id, who=who)
    writer.store([Imported(document, accessibility=accessibility)])
    if who.user_id:
        connection.execute(
            insert(t.project_user).values(user_id=who.user_id, project=project, group_name="owner")
        )


def _with_protocol(document: Item, project: str) -> Item:
    """The project with the place where the custom variables of its subjects are described.

    Source  pyxnat 1.6.4 adds definitions to the protocol named Subjects, and makes none.
    """
    path = "studyProtocol"
    if document.children.get(path):
        return document
    values: dict[str, Value] = {
        "ID": f"{project}_xnat_subjectData",
        "name": "Subjects",
        "data-type": "xnat:subjectData",
    }
    protocol = Item("xnat:datatypeProtocol", values)
    return replace(document, children={**document.children, path: (protocol,)})


def need_free_names(
    connection: Connection, layout: t.Layout, dialect: Dialect, document: Item, project: str
) -> None:
    """Raises Conflict when another project has one of this one's names: id, name, second id or alias."""
    said = [str(document.values[leaf]) for leaf in ("ID", "name", "secondary_ID") if leaf in document.values]
    said += [alias.text("alias") for alias in document.children.get("aliases/alias", ())]
    wanted = sorted({name.strip().lower() for name in said if name.strip()})
    for name in wanted:
        found = connection.scalar(_called(layout, dialect, name, project))
        if found is not None:
            raise Conflict(f"another project is called {name!r} already; choose another id, name or alias")


def _called(layout: t.Layout, dialect: Dialect, name: str, but: str) -> Select[Any]:
    """Projects but one with this name, in any case."""
    typed = layout.typed(t.PROJECT)
    aliases = typed.children["aliases/alias"]
    i = t.item.c
    with_alias = select(aliases.table.c.owner_pk).where(dialect.lower(aliases.columns["alias"]) == name)
    by_leaf = [typed.columns[leaf] for leaf in ("name", "secondary_id")]
    named = or_(
        func.lower(i.id) == name, *(dialect.lower(column) == name for column in by_leaf), i.pk.in_(with_alias)
    )
    joined = t.item.join(typed.table, typed.table.c.pk == i.pk)
    return select(i.id).select_from(joined).where(i.id != but, named).limit(1)


def _plain(item: Item) -> tuple[object, ...]:
    """The document as one nested value, in an order that does not depend on how it was read."""
    values: Iterable[tuple[str, object]] = sorted(item.values.items())
    inside = [(path, [_plain(entry) for entry in entries]) for path, entries in sorted(item.children.items())]
    return (item.xsi_type, tuple(values), inside)


def _set_status(
    connection: Connection, layout: t.Layout, item_id: str, status: str, who: Principal, reason: str
) -> None:
    """Let an item wait for activation (`quarantine`), or have it `active`; for those who may delete it.

    Raises  NotFound, AccessDenied
    """
    i = t.item.c
    row = connection.execute(
        select(i.pk, i.project, i.status)
        .where(i.id == item_id, visible_with_root(t.item, who))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(f"no item {item_id!r} that you may see")
    need_right(connection, who, row.project, "delete", f"making {item_id} {status}")
    if row.status != status:
        note_change(connection, layout, row.pk, who, "changed", reason)
        connection.execute(update(t.item).where(i.pk == row.pk).values(status=status, last_modified=now()))


def read_status(connection: Connection, item_id: str, who: Principal) -> str:
    """`active`, or `quarantine` for what waits for activation. Raises NotFound."""
    i = t.item.c
    seen = visible_with_root(t.item, who) | ((i.family == "project") & visible_project(t.item, who))
    status: str | None = connection.scalar(select(i.status).where(i.id == item_id, seen))
    if status is None:
        raise NotFound(f"no item {item_id!r} that you may see")
    return status
