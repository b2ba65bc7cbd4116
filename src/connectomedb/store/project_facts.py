"""What a site keeps of a project beside its document: settings, visits, and whose favourite it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import get_args

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    ForeignKey,
    Integer,
    Table,
    delete,
    insert,
    select,
    update,
)

from connectomedb.errors import BadConstraint, ConfigurationError
from connectomedb.schema.built_ins import PROJECT_SETTINGS
from connectomedb.store import tables as t
from connectomedb.store.visibility import visible_project
from connectomedb.vocabulary.records import Accessibility, Principal

# As a new XNAT project has them: nothing is held back, and sessions go into the archive by themselves.
DEFAULTS: Mapping[str, int] = {"quarantine_code": 0, "prearchive_code": 4}

project_setting = Table(
    "project_setting",
    t.core,
    Column("project", t.string, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    Column("name", t.string, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

project_visit = Table(
    "project_visit",
    t.core,
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), primary_key=True),
    Column("project", t.string, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
    Column("visited_at", DateTime, nullable=False),
)

project_favorite = Table(
    "project_favorite",
    t.core,
    Column("user_id", Integer, ForeignKey("account.user_id", ondelete="CASCADE"), primary_key=True),
    Column("project", t.string, ForeignKey("project.id", ondelete="CASCADE"), primary_key=True),
)


def read_accessibility(connection: Connection, project: str) -> Accessibility:
    """Who may see the project beside its groups."""
    found: Accessibility = connection.execute(
        select(t.project.c.accessibility).where(t.project.c.id == project)
    ).scalar_one()
    return found


def change_accessibility(connection: Connection, project: str, level: str) -> None:
    """Say who may see the project beside its groups. Raises BadConstraint for a word that is none."""
    if level not in get_args(Accessibility):
        raise BadConstraint(
            f"accessibility {level!r} is none; there are: {', '.join(get_args(Accessibility))}"
        )
    connection.execute(update(t.project).where(t.project.c.id == project).values(accessibility=level))


def list_favorites(connection: Connection, who: Principal) -> tuple[str, ...]:
    """Ids of the user's favourite projects, of those that they see."""
    seen = select(t.item.c.id).where(t.item.c.family == "project", visible_project(t.item, who))
    f = project_favorite.c
    query = select(f.project).where(f.user_id == who.user_id, f.project.in_(seen)).order_by(f.project)
    return tuple(connection.scalars(query))


def change_setting(connection: Connection, project: str, name: str, value: int) -> None:
    """Give a project's setting a value. Raises ConfigurationError for a setting that does not exist."""
    if name not in PROJECT_SETTINGS:
        known = ", ".join(PROJECT_SETTINGS)
        raise ConfigurationError(f"a project has no setting {name!r}; there are: {known}")
    s = project_setting.c
    place = (s.project == project, s.name == name)
    if not connection.execute(update(project_setting).where(*place).values(value=value)).rowcount:
        connection.execute(insert(project_setting).values(project=project, name=name, value=value))


def read_setting(connection: Connection, project: str, name: str) -> int:
    """The value of a setting, its default where nobody changed it."""
    s = project_setting.c
    found = connection.scalar(select(s.value).where(s.project == project, s.name == name))
    return DEFAULTS[name] if found is None else int(found)


def note_visit(connection: Connection, project: str, user_id: int, moment: datetime) -> None:
    """Remember that the user opened the project; the last time counts."""
    v = project_visit.c
    place = (v.project == project, v.user_id == user_id)
    if not connection.execute(update(project_visit).where(*place).values(visited_at=moment)).rowcount:
        connection.execute(insert(project_visit).values(project=project, user_id=user_id, visited_at=moment))


def keep_favorite(connection: Connection, project: str, user_id: int) -> None:
    """Make the project one of the user's favourites."""
    f = project_favorite.c
    known = select(f.project).where(f.project == project, f.user_id == user_id)
    if connection.scalar(known) is None:
        connection.execute(insert(project_favorite).values(project=project, user_id=user_id))


def drop_favorite(connection: Connection, project: str, user_id: int) -> None:
    """The project is no favourite of the user any more."""
    f = project_favorite.c
    connection.execute(delete(project_favorite).where(f.project == project, f.user_id == user_id))
