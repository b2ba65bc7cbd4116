"""pyxnat's `manage`: searches that are saved on the server and templates of them, people, schemas.

A template is a saved search whose values are names to be filled in: `%(low)s`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from connectomedb.client.core import Core, asked_columns
from connectomedb.client.people import Users
from connectomedb.client.prearchive import PreArchive
from connectomedb.errors import BadConstraint, NotFound
from connectomedb.search.query import CriteriaSet, Criterion, FieldRef, SearchField, SearchQuery
from connectomedb.vocabulary.uris import join_uri

if TYPE_CHECKING:
    from connectomedb.client.hierarchy import Project
    from connectomedb.tables.jsontable import JsonTable

Sharing = Literal["private", "public"] | Sequence[str]
SAVED = "/data/search/saved"
_TEMPLATE = "template_"
_PLACE = re.compile(r"%\((\w+)\)s")


class Manager:
    """What is kept on a server beside its data: `interface.manage`."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.search = SearchManager(core)
        self.users = Users(core)
        self.prearchive = PreArchive(core)

    def schemas(self) -> list[str]:
        """Names of the schemas that the server has."""
        found = self._core.json("/xapi/schemas")
        return [str(name) for name in found] if isinstance(found, list) else []

    def project(self, project_id: str) -> Project:
        """One project by id."""
        from connectomedb.client.hierarchy import Project

        return Project(self._core, None, project_id)


class SearchManager:
    """Saved searches, by the names that their owners gave them."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def save(
        self,
        name: str,
        row: str,
        columns: Sequence[str],
        constraints: Sequence[Any],
        sharing: Sharing = "private",
        description: str = "",
    ) -> None:
        """Save a search, in place of one of that name.

        `sharing` is 'private' (the caller alone), 'public' (everybody), or the logins of those who may.
        Raises   AccessDenied when the name is somebody else's
        """
        from connectomedb.search.pyxnat_syntax import parse_constraints
        from connectomedb.search.search_xml import print_search

        if isinstance(sharing, str) and sharing not in ("private", "public"):
            raise BadConstraint(f"sharing={sharing!r} is neither 'private' nor 'public' nor a list of logins")
        query = SearchQuery(
            row,
            tuple(SearchField(field_ref(column, row), header=column) for column in columns),
            parse_constraints(list(constraints), row),
            brief_description=name,
            description=description,
            secure=sharing != "public",
            allowed_users=() if isinstance(sharing, str) else tuple(sharing),
        )
        path = join_uri(SAVED, name.replace(" ", "_"))
        self._core.send("PUT", path, {"inbody": "true"}, print_search(query))

    def saved(self, with_description: bool = False) -> list[Any]:
        """Names of the searches that may be used, templates aside; or (name, description) of each."""
        found = [(n, d) for n, d in self._listed() if not n.startswith(_TEMPLATE)]
        return list(found) if with_description else [name for name, _ in found]

    def get(self, name: str, out_format: str = "results") -> Any:
        """Of a saved search its rows ('results'), its document ('xml') or itself as a value ('query').

        Raises   NotFound naming the searches there are
        """
        path = self._path(name)
        if out_format == "xml":
            return self._core.send("GET", path).body
        if out_format == "query":
            return self._query(name)
        if out_format != "results":
            raise BadConstraint(f"out_format={out_format!r} is none of 'results', 'xml', 'query'")
        return self._table(self._query(name))

    def load(self, name: str) -> SearchQuery:
        """A saved search as a value. Raises NotFound."""
        return self._query(name)

    def delete(self, name: str) -> None:
        """Remove a search, or the caller from a search that others use too. Raises NotFound, AccessDenied."""
        self._core.send("DELETE", self._path(name))

    def save_template(
        self,
        name: str,
        row: str,
        columns: Sequence[str],
        constraints: Sequence[Any],
        sharing: Sharing = "private",
        description: str = "",
    ) -> None:
        """Save a search whose values are names, to be filled in at each use."""
        self.save(_TEMPLATE + name, row, columns, _with_places(constraints), sharing, description)

    def saved_templates(self, with_description: bool = False) -> list[Any]:
        """Names of the templates that may be used; or (name, description) of each."""
        found = [(n.removeprefix(_TEMPLATE), d) for n, d in self._listed() if n.startswith(_TEMPLATE)]
        return list(found) if with_description else [name for name, _ in found]

    def get_template(self, name: str) -> SearchQuery:
        """A template as a value. Raises NotFound."""
        return self._query(_TEMPLATE + name)

    def use_template(self, name: str, values: Mapping[str, object]) -> JsonTable:
        """The rows of a template under values. Raises NotFound, BadConstraint for a value that lacks."""
        return self._table(fill(self.get_template(name), values))

    def delete_template(self, name: str) -> None:
        """Remove a template. Raises NotFound, AccessDenied."""
        self.delete(_TEMPLATE + name)

    def _listed(self) -> list[tuple[str, str]]:
        return [(str(name or ""), str(description or "")) for _, name, description in self._rows()]

    def _rows(self) -> list[tuple[object, ...]]:
        from connectomedb.tables.formats import read_csv

        table = read_csv(self._core.send("GET", SAVED, {"format": "csv"}).body)
        return list(table.select(["id", "brief_description", "description"]).rows)

    def _path(self, name: str) -> str:
        rows = self._rows()
        found = next((str(search_id) for search_id, said, _ in rows if said == name), None)
        if found is None:
            names = ", ".join(str(said) for _, said, _ in rows) or "none"
            raise NotFound(f"there is no saved search {name!r}; there are: {names}")
        return join_uri(SAVED, found)

    def _query(self, name: str) -> SearchQuery:
        from connectomedb.search.search_xml import parse_search

        return parse_search(self._core.send("GET", self._path(name)).body)

    def _table(self, query: SearchQuery) -> JsonTable:
        from connectomedb.tables.jsontable import JsonTable

        table = self._core.search(query.bare())
        return JsonTable(table.select(asked_columns(table, query.fields)) if query.fields else table)


def field_ref(text: str, data_type: str) -> FieldRef:
    """`type/FIELD`, or a field of `data_type`."""
    head, slash, tail = text.partition("/")
    return FieldRef(head, tail) if slash and ":" in head else FieldRef(data_type, text)


def fill(query: SearchQuery, values: Mapping[str, object]) -> SearchQuery:
    """A template with its places filled. Raises BadConstraint naming the place that has no value."""

    def filled(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise BadConstraint(f"the template needs a value for {match[1]!r}")
        return str(values[match[1]])

    return replace(query, where=_mapped(query.where, lambda value: _PLACE.sub(filled, value)))


def _mapped(criteria: CriteriaSet, change: Callable[[str], str]) -> CriteriaSet:
    members = tuple(
        replace(member, value=change(member.value))
        if isinstance(member, Criterion)
        else _mapped(member, change)
        for member in criteria.members
    )
    return CriteriaSet(criteria.method, members)


def _with_places(constraints: Sequence[Any]) -> list[Any]:
    parts: list[Any] = []
    for part in constraints:
        if isinstance(part, tuple) and len(part) == 3:
            parts.append((part[0], part[1], f"%({part[2]})s"))
        else:
            parts.append(_with_places(part) if isinstance(part, list) else part)
    return parts
