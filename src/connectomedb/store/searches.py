"""Saved searches: documents under an id, with those who may use them.

A search may be used by everybody when it is not secure, else by the users and groups that it names; a group
is `<project>_<owner|member|collaborator>`. What a user may not use is, for that user, not there.

Source  protocol/search-and-types.md 3.7
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Boolean, Connection, DateTime, Engine, ForeignKey, Table, and_, or_, select, true
from sqlalchemy import Column as SqlColumn
from sqlalchemy import delete as sql_delete
from sqlalchemy import insert as sql_insert
from sqlalchemy.sql.elements import ColumnElement

from connectomedb.errors import AccessDenied, NotFound, NotValid
from connectomedb.search.query import SearchQuery
from connectomedb.search.search_xml import parse_search, print_search
from connectomedb.store import tables as t
from connectomedb.store.engine import writing
from connectomedb.store.results import utc_now
from connectomedb.tables.result import Column, ResultTable
from connectomedb.vocabulary.records import Principal

_LONGEST_ID = 200
_EDITORS = ("owner", "member")
_LISTED = (
    *("id", "root_element_name", "sort_by_element_name", "sort_by_field_id", "description"),
    *("layeredsequence", "allow_diff_columns", "secure", "brief_description", "tag", "users"),
)

saved_search = Table(
    "saved_search",
    t.core,
    SqlColumn("id", t.string, primary_key=True),
    SqlColumn("tag", t.string, nullable=False, index=True),
    SqlColumn("brief_description", t.string, nullable=False),
    SqlColumn("secure", Boolean, nullable=False),
    SqlColumn("document", t.string, nullable=False),
    SqlColumn("saved_by", t.string, nullable=False),
    SqlColumn("saved_at", DateTime, nullable=False),
)

saved_search_reader = Table(
    "saved_search_reader",
    t.core,
    SqlColumn("search_id", t.string, ForeignKey("saved_search.id", ondelete="CASCADE"), primary_key=True),
    SqlColumn("kind", t.string, primary_key=True),
    SqlColumn("name", t.string, primary_key=True),
)


@dataclass(frozen=True, slots=True)
class _Caller:
    """Who asks, the groups they are in, and the projects they may edit or own."""

    who: Principal
    groups: frozenset[str]
    edits: frozenset[str]
    owns: frozenset[str]

    def is_listed(self, query: SearchQuery) -> bool:
        return self.who.login in query.allowed_users or not self.groups.isdisjoint(query.allowed_groups)

    def may_use(self, query: SearchQuery) -> bool:
        return self.who.is_admin or not query.secure or self.is_listed(query)

    def may_replace(self, query: SearchQuery) -> bool:
        return self.who.is_admin or self.is_listed(query) or (query.tag != "" and query.tag in self.edits)


class SavedSearches:
    """The saved searches of one site."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._engine = engine
        self._clock = clock

    def listing(
        self, who: Principal, *, tagged: bool = False, tag: str = "", every: bool = False
    ) -> ResultTable:
        """What the user may use: the searches of no project, or those of any, or of the project `tag`.

        `every` is for administrators: all there are, whatever they belong to.
        """
        s = saved_search.c
        if every:
            chosen: ColumnElement[bool] = true()
        elif tag:
            chosen = s.tag == tag
        else:
            chosen = s.tag != "" if tagged else s.tag == ""
        with self._engine.connect() as connection:
            usable = true() if every else self._usable(_caller(connection, who))
            rows = connection.execute(select(s.document).where(chosen, usable).order_by(s.id)).scalars().all()
        found = [parse_search(document.encode("utf-8")) for document in rows]
        cells = tuple(_row(query) for query in found)
        return ResultTable(tuple(Column(key) for key in _LISTED), cells, "Stored Searches")

    def find(self, search_id: str, who: Principal) -> SearchQuery:
        """The search of that id. Raises NotFound when there is none, or it is not for this user."""
        with self._engine.connect() as connection:
            query = _load(connection, search_id)
            if query is None or not _caller(connection, who).may_use(query):
                raise _no_such(search_id)
        return query

    def save(self, search_id: str, query: SearchQuery, who: Principal, *, as_copy: bool = False) -> str:
        """Keep a search under an id, in place of what was there; the id under which it is kept.

        A copy goes without the users and groups named, under an id that is free. A new search of a project
        takes the place of the one that has the same brief description there.
        Raises  NotValid for an id that cannot be one; AccessDenied when what is there is somebody else's
        """
        _check_id(search_id)
        if who.is_guest:
            raise AccessDenied("a guest has no saved searches; log in")
        with writing(self._engine, changes_data=False) as connection:
            caller = _caller(connection, who)
            if as_copy:
                query = replace(query, allowed_users=(), allowed_groups=())
                while _load(connection, search_id) is not None:
                    search_id += "_1"
            there = _load(connection, search_id)
            if there is None and not as_copy:
                search_id = _same_in_project(connection, query) or search_id
                there = _load(connection, search_id)
            if there is not None and not caller.may_replace(there):
                raise AccessDenied(f"the id {search_id!r} is taken; save the search under another one")
            self._check_project(connection, caller, search_id, query)
            if there is None and not caller.is_listed(query):
                query = replace(query, allowed_users=(*query.allowed_users, who.login))
            _store(connection, replace(query, search_id=search_id), who, self._clock())
        return search_id

    def delete(self, search_id: str, who: Principal) -> None:
        """Take the user off the search, or the user's groups; without anybody left it goes.

        Raises  NotFound when it is not for this user; AccessDenied when it is, but does not name them
        """
        with writing(self._engine, changes_data=False) as connection:
            query, caller = _load(connection, search_id), _caller(connection, who)
            if query is None or not caller.may_use(query):
                raise _no_such(search_id)
            if not caller.is_listed(query):
                if not who.is_admin:
                    raise AccessDenied(f"the search {search_id!r} is not yours to delete")
                _remove(connection, search_id)
                return
            users = tuple(login for login in query.allowed_users if login != who.login)
            groups = query.allowed_groups
            if users == query.allowed_users:
                groups = tuple(group for group in groups if group not in caller.groups)
            if users or groups:
                left = replace(query, allowed_users=users, allowed_groups=groups)
                _store(connection, left, who, self._clock())
            else:
                _remove(connection, search_id)

    def _usable(self, caller: _Caller) -> ColumnElement[bool]:
        """`_Caller.may_use`, as a predicate."""
        if caller.who.is_admin:
            return true()
        r = saved_search_reader.c
        named = or_(
            and_(r.kind == "user", r.name == caller.who.login),
            and_(r.kind == "group", r.name.in_(sorted(caller.groups))),
        )
        mine = select(r.search_id).where(named)
        return or_(saved_search.c.secure.is_(False), saved_search.c.id.in_(mine))

    def _check_project(
        self, connection: Connection, caller: _Caller, search_id: str, query: SearchQuery
    ) -> None:
        if not query.tag or caller.who.is_admin:
            return
        own_default = search_id == f"{query.tag}_{query.root}"
        if own_default and query.tag not in caller.owns:
            raise AccessDenied(f"only owners of {query.tag} may change its default search {search_id}")


def _row(query: SearchQuery) -> tuple[str, ...]:
    sort = query.sort_by.ref if query.sort_by else None
    return (
        query.search_id,
        query.root,
        sort.element_name if sort else "",
        sort.name if sort else "",
        query.description,
        query.layered_sequence,
        "1" if query.allow_diff_columns else "0",
        "1" if query.secure else "0",
        query.brief_description,
        query.tag,
        ",".join(query.allowed_users),
    )


def _caller(connection: Connection, who: Principal) -> _Caller:
    u = t.project_user.c
    rows = connection.execute(select(u.project, u.group_name).where(u.user_id == who.user_id)).all()
    return _Caller(
        who,
        frozenset(f"{project}_{group}" for project, group in rows),
        frozenset(project for project, group in rows if group in _EDITORS),
        frozenset(project for project, group in rows if group == "owner"),
    )


def _load(connection: Connection, search_id: str) -> SearchQuery | None:
    if "\0" in search_id:
        return None
    document = connection.scalar(select(saved_search.c.document).where(saved_search.c.id == search_id))
    return None if document is None else parse_search(document.encode("utf-8"))


def _store(connection: Connection, query: SearchQuery, who: Principal, moment: datetime) -> None:
    _remove(connection, query.search_id)
    connection.execute(
        sql_insert(saved_search).values(
            id=query.search_id,
            tag=query.tag,
            brief_description=query.brief_description,
            secure=query.secure,
            document=print_search(query).decode("utf-8"),
            saved_by=who.login,
            saved_at=moment,
        )
    )
    readers = [*_readers(query, "user", query.allowed_users), *_readers(query, "group", query.allowed_groups)]
    if readers:
        connection.execute(sql_insert(saved_search_reader), readers)


def _readers(query: SearchQuery, kind: str, names: Iterable[str]) -> list[dict[str, str]]:
    return [{"search_id": query.search_id, "kind": kind, "name": name} for name in names]


def _remove(connection: Connection, search_id: str) -> None:
    connection.execute(sql_delete(saved_search).where(saved_search.c.id == search_id))


def _same_in_project(connection: Connection, query: SearchQuery) -> str:
    """Id of the project's search of the same brief description; '' when there is none."""
    if not query.tag or not query.brief_description:
        return ""
    s = saved_search.c
    same = select(s.id).where(s.tag == query.tag, s.brief_description == query.brief_description)
    return connection.scalar(same.order_by(s.id).limit(1)) or ""


def _check_id(search_id: str) -> None:
    if search_id.startswith("@"):
        raise NotValid([f"{search_id[:80]!r}: ids that begin with @ are the generated searches of a type"])
    if not search_id.isprintable() or "/" in search_id or not 0 < len(search_id) <= _LONGEST_ID:
        raise NotValid([f"{search_id[:80]!r} is no id: at most {_LONGEST_ID} printable characters, no /"])


def _no_such(search_id: str) -> NotFound:
    return NotFound(f"there is no saved search {search_id[:80]!r} for you")
