"""Projects: make one, find one, and the facts that everything else asks about them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import Connection, func, or_, select

from connectomedb.errors import ConfigurationError, NoSuchProject
from connectomedb.store import tables as t
from connectomedb.store.visibility import reads_in, visible, visible_project
from connectomedb.vocabulary.records import Accessibility, Principal

LEGAL_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")


def now() -> datetime:
    """Now, in UTC, as the database keeps it."""
    return datetime.now(UTC).replace(tzinfo=None)


def existing_project(connection: Connection, project: str) -> str:
    """The project's id as it is spelled there; capitals do not matter. Raises NoSuchProject."""
    found: str | None = connection.scalar(
        select(t.project.c.id).where(t.project.c.folded_id == project.lower())
    )
    if found is None:
        raise NoSuchProject(f"no project {project!r}")
    return found


def locate_project(connection: Connection, layout: t.Layout, text: str, who: Principal) -> str:
    """Id of the project of that id or alias, if the user may see it. Raises NoSuchProject."""
    by_name = or_(t.project.c.folded_id == text.lower(), t.item.c.pk.in_(_by_alias(layout, text)))
    found: Sequence[str] = connection.scalars(
        select(t.project.c.id)
        .join_from(t.project, t.item, t.project.c.pk == t.item.c.pk)
        .where(by_name, visible_project(t.item, who))
        .order_by(t.project.c.folded_id != text.lower(), t.project.c.pk)
    ).all()
    if not found:
        raise NoSuchProject(f"no project {text!r} that you may see")
    return found[0]


def count_members(connection: Connection, who: Principal) -> dict[tuple[str, str], int]:
    """How many subjects and experiments each project shows to the user, by (project, family)."""
    m = t.membership.c
    rows = connection.execute(
        select(m.project, m.family, func.count())
        .join_from(t.membership, t.item, t.item.c.pk == m.item_pk)
        .where(m.family != "project", visible(t.item, who), reads_in(m.project, t.item.c.xsi_type, who))
        .group_by(m.project, m.family)
    )
    return {(project, family): n for project, family, n in rows}


def check_project(project_id: str, accessibility: str) -> None:
    """Raises ConfigurationError for an id that is not legal, or a word that is no accessibility."""
    if not LEGAL_NAME.match(project_id):
        raise ConfigurationError(f"project id {project_id!r} is not legal: letters, digits, _ and - only")
    if accessibility not in get_args(Accessibility):
        raise ConfigurationError(
            f"no accessibility {accessibility!r}; there are: {', '.join(get_args(Accessibility))}"
        )


def _by_alias(layout: t.Layout, text: str) -> Any:
    """Projects that have this alias, as a subquery of primary keys."""
    aliases = layout.typed(t.PROJECT).children.get("aliases/alias")
    if aliases is None or "alias" not in aliases.columns:
        return select(t.item.c.pk).where(t.item.c.pk.is_(None))
    return select(aliases.table.c.owner_pk).where(aliases.columns["alias"] == text)
