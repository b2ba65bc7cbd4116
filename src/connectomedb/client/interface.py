"""pyxnat's face: `Interface`, `select`, `inspect` and `manage`, spelled as the users of pyxnat type them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, overload

from connectomedb.client.core import Core, asked_columns
from connectomedb.client.elements import Collection, Element, Experiment, Project, Subject
from connectomedb.client.manage import Manager, SearchManager, field_ref, fill
from connectomedb.client.transport import Transport
from connectomedb.errors import BadConstraint
from connectomedb.search.query import CriteriaSet, SearchField, SearchQuery
from connectomedb.vocabulary.uris import Step, join_uri, parse_path

if TYPE_CHECKING:
    from connectomedb.tables.jsontable import JsonTable


class Interface:
    """A connection to an XNAT server. Making one asks nothing of the server."""

    def __init__(
        self,
        server: str,
        user: str | None = None,
        password: str | None = None,
        *,
        transport: Transport | None = None,
    ) -> None:
        self._core = Core(server, user, password, transport=transport)
        self.select = Select(self._core)
        self.inspect = Inspector(self._core)
        self.manage = Manager(self._core)

    def __repr__(self) -> str:
        return f"<Interface {self._core.server} as {self._core.login.user}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()

    def disconnect(self) -> None:
        """End the login session and close the connection."""
        self._core.close()


class Select:
    """The way in: `select.projects()`, `select('/projects/X/subjects/*')`, `select('nt:scores', fields)`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def projects(self, pattern: str = "*") -> Collection[Project]:
        """All visible projects, or those whose id matches."""
        return Collection(self._core, Project, "/data/projects", pattern)

    def project(self, project_id: str) -> Project:
        """One project by id."""
        return Project(self._core, "/data/projects", project_id)

    def experiments(self, pattern: str = "*") -> Collection[Experiment]:
        """All visible experiments of the site, or those whose id or label matches."""
        return Collection(self._core, Experiment, "/data/experiments", pattern)

    def experiment(self, experiment_id: str) -> Experiment:
        """One experiment by its site-wide id."""
        return Experiment(self._core, "/data/experiments", experiment_id)

    @overload
    def __call__(self, name: str, columns: Sequence[str]) -> Search: ...

    @overload
    def __call__(self, name: str, columns: None = None) -> Any: ...

    def __call__(self, name: str, columns: Sequence[str] | None = None) -> Any:
        """A path gives a handle or a `Selection`; a data type with columns gives a `Search`."""
        if columns is None and ":" in name and not name.startswith("/"):
            return Search(self._core, name, Inspector(self._core).datatypes(name, "*"))
        if columns is not None:
            return Search(self._core, name, columns)
        steps = parse_path(name)
        if not any(_is_pattern(step.name) for step in steps):
            return _walk_exact(self._core, steps)
        return Selection(self._core, steps)


_KINDS: dict[str, type[Element]] = {"projects": Project, "subjects": Subject, "experiments": Experiment}


class Selection:
    """The handles that a path with wildcards means, walked lazily."""

    def __init__(self, core: Core, steps: tuple[Step, ...]) -> None:
        self._core = core
        self._steps = steps

    def __iter__(self) -> Iterator[Element]:
        return self._below("/data", self._steps)

    def get(self, *columns: str) -> list[str]:
        """The ids, or the labels with `get('label')`."""
        return [e.label() if columns == ("label",) else e.id() for e in self]

    def first(self) -> Element | None:
        """The first one, None when there is none."""
        return next(iter(self), None)

    def _below(self, uri: str, steps: tuple[Step, ...]) -> Iterator[Element]:
        step, rest = steps[0], steps[1:]
        kind, collection = _KINDS[step.level], join_uri(uri, step.level)
        handles: Iterator[Element]
        if _is_pattern(step.name):
            handles = iter(Collection(self._core, kind, collection, step.name))
        else:
            handles = iter([kind(self._core, collection, step.name)])
        for handle in handles:
            if rest:
                yield from self._below(handle.uri, rest)
            else:
                yield handle


class Search:
    """Columns of a data type; `where` asks."""

    def __init__(self, core: Core, data_type: str, columns: Sequence[str]) -> None:
        self._core = core
        self._data_type = data_type
        self._fields = tuple(SearchField(field_ref(column, data_type), header=column) for column in columns)

    def where(
        self,
        constraints: Sequence[Any] = (),
        template: tuple[str, Mapping[str, object]] | None = None,
        query: str = "",
    ) -> JsonTable:
        """The rows that meet pyxnat's constraints, columns in the order asked for.

        Instead of constraints: those of a template with its values, or of the saved search `query`.
        """
        from connectomedb.search.pyxnat_syntax import parse_constraints

        saved = SearchManager(self._core)
        if template is not None:
            return self._ask(fill(saved.get_template(template[0]), template[1]).where)
        if query:
            return self._ask(saved.get(query, "query").where)
        if isinstance(constraints, str):
            raise BadConstraint("constraints are a list of (field, operator, value) and 'AND' or 'OR'")
        return self._ask(parse_constraints(list(constraints), self._data_type))

    def all(self) -> JsonTable:
        """Every row."""
        return self._ask(CriteriaSet())

    def _ask(self, where: CriteriaSet) -> JsonTable:
        from connectomedb.tables.jsontable import JsonTable

        table = self._core.search(SearchQuery(self._data_type, self._fields, where))
        return JsonTable(table.select(asked_columns(table, self._fields)))


class Inspector:
    """What the server knows: data types and their search fields."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def datatypes(self, pattern: str = "*", fields_pattern: str | None = None) -> list[str]:
        """Searchable data types that match; with `fields_pattern` their fields, `nt:scores/NEO_NEOFAC_A`."""
        types = [
            name
            for name in self._names("/data/search/elements", "ELEMENT_NAME")
            if fnmatchcase(name, pattern)
        ]
        if fields_pattern is None:
            return types
        found: list[str] = []
        for name in types:
            for field in self._names(f"/data/search/elements/{name}", "FIELD_ID"):
                whole = f"{name}/{field}"
                if fnmatchcase(field, fields_pattern) or fnmatchcase(whole, fields_pattern):
                    found.append(whole)
        return found

    def _names(self, path: str, column: str) -> list[str]:
        from connectomedb.errors import ServerFault
        from connectomedb.tables.formats import read_csv

        table = read_csv(self._core.send("GET", path, {"format": "csv"}).body)
        if column not in table.keys:
            raise ServerFault(f"{path} came without the column {column}")
        return [str(cell) for cell in table.column(column) if cell and "=" not in str(cell)]


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in "*?[")


def _walk_exact(core: Core, steps: tuple[Step, ...]) -> Element:
    uri = "/data"
    for step in steps[:-1]:
        uri = join_uri(uri, step.level, step.name)
    last = steps[-1]
    return _KINDS[last.level](core, join_uri(uri, last.level), last.name)
