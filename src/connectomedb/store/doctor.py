"""Find what is wrong in a site's database, name it, and mend what can be computed again.

Every check is a query for what must not be; a healthy site gives no problem. What is lost (a typed row, a
subject's files) is named, never invented.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, select, update

from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.unique import shared_values
from connectomedb.store.writer import projects_text

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One inconsistency: which check found it, where, what it is, and whether `repair` mends it."""

    check: str
    where: str
    said: str
    repairable: bool = False


Check = Callable[[Connection, t.Layout], Iterator[Problem]]
Repair = Callable[[Connection, t.Layout], None]


def examine(engine: Engine, layout: t.Layout) -> tuple[Problem, ...]:
    """Everything that is wrong; nothing when all is well.

    Cost    reads the index of every table, and the memberships, once
    """
    with engine.connect() as connection:
        return tuple(problem for check in CHECKS for problem in check(connection, layout))


def repair(engine: Engine, layout: t.Layout) -> tuple[Problem, ...]:
    """Mend what can be computed again, all in one transaction; what is left is returned."""
    with writing(engine) as connection:
        for mend in REPAIRS:
            mend(connection, layout)
    return examine(engine, layout)


# Checks


def _file_is_whole(connection: Connection, _layout: t.Layout) -> Iterator[Problem]:
    if connection.dialect.name != "sqlite":
        return
    for said in connection.exec_driver_sql(f"PRAGMA integrity_check({_SHOWN})").scalars():
        if said != "ok":
            yield Problem("file", "database", str(said))
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    for table, group in groupby(broken, key=lambda row: (row[0], row[2])):
        yield Problem("orphan", str(table[0]), f"{len(list(group))} rows point to no row of {table[1]}")


def _typed_rows(connection: Connection, layout: t.Layout) -> Iterator[Problem]:
    i = t.item.c
    for typed in layout.all():
        name = typed.data_type.xsi_type
        for table in typed.tables:
            missing = select(i.id).where(i.xsi_type == name, i.pk.not_in(select(table.c.pk)))
            for item_id in connection.scalars(missing.limit(_SHOWN)):
                yield Problem("typed row", item_id, f"has no row in {table.name}; restore it from a backup")
            stray = select(func.count()).where(table.c.pk.not_in(select(i.pk).where(i.xsi_type == name)))
            n_stray = connection.scalar(stray)
            if n_stray:
                yield Problem("orphan", table.name, f"{n_stray} rows are of no {name}")
        for child in typed.children.values():
            stray = select(func.count()).where(
                child.table.c.owner_pk.not_in(select(i.pk).where(i.xsi_type == name))
            )
            n_stray = connection.scalar(stray)
            if n_stray:
                yield Problem("orphan", child.table.name, f"{n_stray} rows are of no {name}")
    known = [typed.data_type.xsi_type for typed in layout.all()]
    for kind in connection.scalars(select(i.xsi_type).where(i.xsi_type.not_in(known)).distinct()):
        yield Problem("type", kind, "has items, and no schema defines it; put its schema back")


def _memberships(connection: Connection, _layout: t.Layout) -> Iterator[Problem]:
    i, m = t.item.c, t.membership.c
    owned = select(m.item_pk).where(m.position == 0)
    for item_id in connection.scalars(
        select(i.id).where(i.family.in_(t.ROOTS), i.pk.not_in(owned)).limit(_SHOWN)
    ):
        yield Problem("membership", item_id, "belongs to no project")
    differs = (
        select(i.id, i.project, i.label, m.project.label("owner"), m.label.label("called"))
        .join_from(t.item, t.membership, m.item_pk == i.pk)
        .where(m.position == 0, (i.project != m.project) | (i.label != m.label))
    )
    for row in connection.execute(differs.limit(_SHOWN)):
        yield Problem(
            "membership",
            row.id,
            f"says {row.project}/{row.label}, its membership {row.owner}/{row.called}",
            True,
        )
    twice = (
        select(m.project, m.family, m.label, func.count())
        .group_by(m.project, m.family, m.label)
        .having(func.count() > 1)
    )
    for project, family, label, n in connection.execute(twice.limit(_SHOWN)):
        yield Problem("label", f"{project}/{label}", f"{n} {family}s have this label; rename all but one")


def _projects_texts(connection: Connection, _layout: t.Layout) -> Iterator[Problem]:
    for pk, item_id, said, wanted in _wrong_texts(connection):
        yield Problem("projects text", item_id, f"says {said}, memberships say {wanted} (row {pk})", True)


def _wrong_texts(connection: Connection) -> Iterator[tuple[int, str, str, str]]:
    """Items whose PROJECTS text is not what the memberships of their root say."""
    i, m = t.item.c, t.membership.c
    rows = connection.execute(
        select(i.pk, i.id, i.projects_text, m.family, m.project)
        .join_from(t.item, t.membership, m.item_pk == i.root_pk)
        .order_by(i.pk, m.position),
        execution_options={"yield_per": 1000},
    )
    for (pk, item_id, said), found in groupby(rows, key=lambda row: (row[0], row[1], row[2])):
        members = list(found)
        wanted = projects_text(members[0].family, [row.project for row in members])
        if said != wanted:
            yield pk, item_id, said, wanted


def _parts(connection: Connection, _layout: t.Layout) -> Iterator[Problem]:
    i, owner = t.item.c, t.item.alias()
    homeless = select(i.id).where(i.family.in_(t.PARTS), i.owner_pk.not_in(select(owner.c.pk)))
    unowned = select(i.id).where(i.family.in_(t.PARTS), i.owner_pk.is_(None))
    for query in (homeless, unowned):
        for item_id in connection.scalars(query.limit(_SHOWN)):
            yield Problem("orphan", item_id, "is part of nothing; what held it is gone")
    for query in _wrong_roots():
        for item_id in connection.scalars(query.limit(_SHOWN)):
            yield Problem("root", item_id, "names another root than what holds it", True)


def _wrong_roots() -> tuple[Select[Any], Select[Any]]:
    i, owner = t.item.c, t.item.alias()
    own = select(i.id).where(i.family.in_(t.ROOTS), i.root_pk != i.pk)
    parts = (
        select(i.id)
        .join_from(t.item, owner, owner.c.pk == i.owner_pk)
        .where(i.family.in_(t.PARTS), i.root_pk != owner.c.root_pk)
    )
    return own, parts


def _files(connection: Connection, _layout: t.Layout) -> Iterator[Problem]:
    f, i = t.file.c, t.item.c
    gone = (
        select(f.project, f.subject_label, func.count())
        .where(f.subject_pk.is_not(None), f.subject_pk.not_in(select(i.pk).where(i.family == "subject")))
        .group_by(f.project, f.subject_label)
    )
    for project, label, n in connection.execute(gone.limit(_SHOWN)):
        yield Problem("file", f"{project}/{label}", f"{n} files are of a subject that is gone", True)


def _counters(connection: Connection, _layout: t.Layout) -> Iterator[Problem]:
    values = dict(connection.execute(select(t.counter.c.name, t.counter.c.value)).all())
    for name, needed in _needed(connection).items():
        if values.get(name, -1) < needed:
            yield Problem("counter", name, f"is at {values.get(name)}, and {needed} is in use", True)


def _needed(connection: Connection) -> Mapping[str, int]:
    """The highest number in use, by counter."""
    i = t.item.c
    highest: dict[str, int] = {
        "pk": connection.scalar(select(func.max(i.pk))) or 0,
        "resource": connection.scalar(select(func.max(i.number))) or 0,
        "file": connection.scalar(select(func.max(t.file.c.pk))) or 0,
        "account": connection.scalar(select(func.max(t.account.c.user_id))) or 0,
        "tombstone": connection.scalar(select(func.max(t.tombstone.c.pk))) or 0,
    }
    site_id = connection.scalar(select(t.setting.c.value).where(t.setting.c.name == "site_id")) or ""
    for family, letter in (("subject", "S"), ("experiment", "E")):
        given = re.compile(re.escape(f"{site_id}_{letter}") + r"(\d{5,18})\Z")
        start = f"{site_id}_{letter}"
        ids = connection.scalars(
            select(i.id).where(i.family == family, i.id.startswith(start, autoescape=True))
        )
        highest[family] = max((int(found[1]) for one in ids if (found := given.match(one))), default=0)
    return highest


def _unique_values(connection: Connection, layout: t.Layout) -> Iterator[Problem]:
    for field, value, ids in shared_values(connection, layout, _SHOWN):
        said = f"{', '.join(ids)} have it, and it is one of a kind; change all but one"
        yield Problem("unique", f"{field} {value!r}", said)


CHECKS: tuple[Check, ...] = (
    _file_is_whole,
    _typed_rows,
    _memberships,
    _projects_texts,
    _parts,
    _files,
    _counters,
    _unique_values,
)


# Repairs


def _mend_roots(connection: Connection, _layout: t.Layout) -> None:
    i, owner = t.item.c, t.item.alias()
    connection.execute(update(t.item).where(i.family.in_(t.ROOTS), i.root_pk != i.pk).values(root_pk=i.pk))
    right = select(owner.c.root_pk).where(owner.c.pk == i.owner_pk).scalar_subquery()
    wrong = update(t.item).where(i.family.in_(t.PARTS), i.root_pk != right).values(root_pk=right)
    # Level by level: a part of a part follows once what holds it is right.
    while connection.execute(wrong).rowcount:
        pass


def _mend_owners(connection: Connection, _layout: t.Layout) -> None:
    i, m = t.item.c, t.membership.c
    for column in ("project", "label"):
        mine = select(m[column]).where(m.item_pk == i.pk, m.position == 0).scalar_subquery()
        connection.execute(
            update(t.item).where(i.family.in_(t.ROOTS), i[column] != mine).values({column: mine})
        )


def _mend_texts(connection: Connection, _layout: t.Layout) -> None:
    for pk, _, _, wanted in list(_wrong_texts(connection)):
        connection.execute(update(t.item).where(t.item.c.pk == pk).values(projects_text=wanted))


def _mend_files(connection: Connection, _layout: t.Layout) -> None:
    f = t.file.c
    subjects = select(t.item.c.pk).where(t.item.c.family == "subject")
    connection.execute(
        update(t.file).where(f.subject_pk.is_not(None), f.subject_pk.not_in(subjects)).values(subject_pk=None)
    )


def _mend_counters(connection: Connection, _layout: t.Layout) -> None:
    for name, needed in _needed(connection).items():
        c = t.counter.c
        connection.execute(update(t.counter).where(c.name == name, c.value < needed).values(value=needed))
        if connection.scalar(select(c.value).where(c.name == name)) is None:
            connection.execute(t.counter.insert().values(name=name, value=needed))


REPAIRS: tuple[Repair, ...] = (_mend_roots, _mend_owners, _mend_texts, _mend_files, _mend_counters)
