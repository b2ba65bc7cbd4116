"""The config service: texts that tools keep on the site or in a project, every version of them.

Owns the table `configuration`. A change adds a version; nothing is overwritten.

Source   protocol/rest.md 6.1
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    Row,
    Table,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError

from connectomedb.errors import Conflict
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.projects import now
from connectomedb.vocabulary.records import Principal

configuration = Table(
    "configuration",
    t.core,
    # '' is the site. No foreign key: what a deleted project had configured stays readable for administrators.
    Column("project", t.string, primary_key=True),
    Column("tool", t.string, primary_key=True),
    Column("path", t.string, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("contents", t.string, nullable=False),
    Column("status", t.string, nullable=False),
    Column("login", t.string, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("reason", t.string, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Configured:
    """One version of a configuration; `project` is '' for the site."""

    project: str
    tool: str
    path: str
    version: int
    contents: str
    status: str
    login: str
    at: datetime
    reason: str


def configure(
    connection: Connection,
    project: str,
    tool: str,
    path: str,
    who: Principal,
    *,
    contents: str | None = None,
    status: str = "",
    reason: str = "",
) -> bool | None:
    """Keep a new version: other contents, another status, or both; True when it is the first one.

    None when there is nothing whose status could change. What says the same is no new version.
    Raises  Conflict when somebody else made the next version in this moment
    """
    last = find(connection, project, tool, path)
    if last is None and contents is None:
        return None
    wanted = (last.contents if last and contents is None else contents or "", status or "enabled")
    if last is not None:
        wanted = (wanted[0], status or (last.status if contents is None else "enabled"))
        if wanted == (last.contents, last.status):
            return False
    try:
        connection.execute(
            insert(configuration).values(
                project=project,
                tool=tool,
                path=path,
                version=last.version + 1 if last else 1,
                contents=wanted[0],
                status=wanted[1],
                login=who.login,
                at=now(),
                reason=reason,
            )
        )
    except IntegrityError as problem:
        raise Conflict(f"{tool}/{path} was changed in this moment; read it again") from problem
    return last is None


def find(
    connection: Connection, project: str, tool: str, path: str, version: int | None = None
) -> Configured | None:
    """One version, the last when none is named."""
    c = configuration.c
    query = select(configuration).where(c.project == project, c.tool == tool, c.path == path)
    if version is not None:
        query = query.where(c.version == version)
    row = connection.execute(query.order_by(c.version.desc()).limit(1)).one_or_none()
    return None if row is None else _configured(row)


def versions(connection: Connection, project: str, tool: str, path: str) -> list[Configured]:
    """Every version, the first first."""
    c = configuration.c
    query = select(configuration).where(c.project == project, c.tool == tool, c.path == path)
    return [_configured(row) for row in connection.execute(query.order_by(c.version))]


def of_tool(connection: Connection, project: str, tool: str) -> list[Configured]:
    """The last version of everything that a tool keeps, by path."""
    c = configuration.c
    last = (
        select(c.path, func.max(c.version).label("version"))
        .where(c.project == project, c.tool == tool)
        .group_by(c.path)
        .subquery()
    )
    query = (
        select(configuration)
        .join(last, (last.c.path == c.path) & (last.c.version == c.version))
        .where(c.project == project, c.tool == tool)
    )
    return [_configured(row) for row in connection.execute(query.order_by(c.path))]


def tools(connection: Connection, project: str) -> list[str]:
    """Names of the tools that keep something."""
    c = configuration.c
    return list(connection.scalars(select(c.tool).distinct().where(c.project == project).order_by(c.tool)))


class Configurations:
    """The configurations of one site's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tools(self, project: str) -> list[str]:
        """Names of the tools that keep something in a project, or on the site for ''."""
        with self._engine.connect() as connection:
            return tools(connection, project)

    def of_tool(self, project: str, tool: str) -> list[Configured]:
        """The last version of everything that a tool keeps."""
        with self._engine.connect() as connection:
            return of_tool(connection, project, tool)

    def find(self, project: str, tool: str, path: str, version: int | None = None) -> Configured | None:
        """One version, the last when none is named."""
        with self._engine.connect() as connection:
            return find(connection, project, tool, path, version)

    def versions(self, project: str, tool: str, path: str) -> list[Configured]:
        """Every version, the first first."""
        with self._engine.connect() as connection:
            return versions(connection, project, tool, path)

    def configure(
        self,
        project: str,
        tool: str,
        path: str,
        who: Principal,
        *,
        contents: str | None = None,
        status: str = "",
        reason: str = "",
    ) -> bool | None:
        """Keep a new version; see `configure`."""
        with writing(self._engine) as connection:
            return configure(
                connection, project, tool, path, who, contents=contents, status=status, reason=reason
            )


def _configured(row: Row[Any]) -> Configured:
    return Configured(
        row.project,
        row.tool,
        row.path,
        row.version,
        row.contents,
        row.status,
        row.login,
        row.at,
        row.reason,
    )
