"""Handles of pyxnat's face: projects, subjects, experiments, one at a time or as a collection.

A handle made from a listing carries its row, so that its id and label cost no further request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Generic, TypeVar

from connectomedb.client.core import Core
from connectomedb.errors import NoSuchExperiment, NoSuchProject, NoSuchSubject, NotFound, ServerFault
from connectomedb.vocabulary.uris import join_uri

if TYPE_CHECKING:
    from lxml import etree

_Row = dict[str, str]


class Element:
    """One thing in the hierarchy, addressed by id or label."""

    _columns: tuple[str, ...] = ("ID", "label")
    _label_column = "label"
    _no_such: type[NotFound] = NotFound
    _word = "element"

    def __init__(self, core: Core, collection_uri: str, name: str, row: _Row | None = None) -> None:
        self._core = core
        self._collection_uri = collection_uri
        self._name = name
        self._row = row
        self._document: bytes | None = None
        self._root: etree._Element | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"

    @property
    def uri(self) -> str:
        """The path on the server."""
        return join_uri(self._collection_uri, self._name)

    def id(self) -> str:
        """The site-wide id."""
        return self._cell("ID")

    def label(self) -> str:
        """The name inside the project it was reached by."""
        return self._cell(self._label_column)

    def exists(self) -> bool:
        """Whether it is there and visible; any trouble but its absence is raised."""
        try:
            self._found()
        except NotFound:
            return False
        return True

    def get(self) -> bytes:
        """The XML document; fetched once, see `refresh`."""
        if self._document is None:
            self._document = self._core.document(self.uri)
        return self._document

    def xpath(self, expression: str) -> list[etree._Element]:
        """What an XPath finds in the document, with the prefixes its root declares."""
        from lxml import etree

        from connectomedb.errors import NotWellFormed
        from connectomedb.schema.xml import parse_xml

        if self._root is None:
            try:
                self._root = parse_xml(self.get())
            except NotWellFormed as error:
                raise ServerFault(
                    f"{self.uri} sent a document that is not XML: {error}", url=self.uri
                ) from error
        prefixes = {prefix: uri for prefix, uri in self._root.nsmap.items() if prefix}
        try:
            found = self._root.xpath(expression, namespaces=prefixes)
        except etree.XPathError as error:
            from connectomedb.errors import QueryError

            raise QueryError(f"the XPath {expression!r} cannot be used: {error}") from error
        return found if isinstance(found, list) else [found]

    def refresh(self) -> None:
        """Forget what was fetched; the next call asks the server again."""
        self._row = self._document = self._root = None

    def _found(self) -> _Row:
        if self._row is None:
            table = self._core.listing(self._collection_uri, self._columns)
            rows = [_texts(row) for row in table.as_dicts()]
            ids = [row for row in rows if row["ID"] == self._name]
            labels = [row for row in rows if row.get(self._label_column) == self._name]
            if not ids and not labels:
                raise self._no_such(f"no {self._word} {self._name!r} under {self._collection_uri}")
            self._row = (ids or labels)[0]
        return self._row

    def _cell(self, column: str) -> str:
        row = self._found()
        if column not in row:
            raise ServerFault(f"the listing {self._collection_uri} came without the column {column!r}")
        return row[column]


class Experiment(Element):
    """An experiment: a session, a table of scores, bookkeeping."""

    _columns: tuple[str, ...] = ("ID", "label", "xsiType", "project", "date")
    _no_such: type[NotFound] = NoSuchExperiment
    _word = "experiment"

    def datatype(self) -> str:
        """The data type, `nt:scores`."""
        return self._cell("xsiType")


class Subject(Element):
    """A subject, with its experiments."""

    _columns: tuple[str, ...] = ("ID", "label", "project")
    _no_such: type[NotFound] = NoSuchSubject
    _word = "subject"

    def experiments(self, pattern: str = "*") -> Collection[Experiment]:
        """All its experiments, or those whose id or label matches."""
        return Collection(self._core, Experiment, join_uri(self.uri, "experiments"), pattern)

    def experiment(self, name: str) -> Experiment:
        """One experiment by id or label."""
        return Experiment(self._core, join_uri(self.uri, "experiments"), name)


class Project(Subject):
    """A project, with its subjects and experiments."""

    _columns: tuple[str, ...] = ("ID", "name")
    _label_column = "ID"
    _no_such: type[NotFound] = NoSuchProject
    _word = "project"

    def subjects(self, pattern: str = "*") -> Collection[Subject]:
        """All its subjects, or those whose id or label matches."""
        return Collection(self._core, Subject, join_uri(self.uri, "subjects"), pattern)

    def subject(self, name: str) -> Subject:
        """One subject by id or label."""
        return Subject(self._core, join_uri(self.uri, "subjects"), name)


E_co = TypeVar("E_co", bound=Element, covariant=True)


class Collection(Generic[E_co]):
    """Many handles from one listing, which is fetched anew each time it is walked."""

    def __init__(self, core: Core, kind: type[E_co], uri: str, pattern: str = "*") -> None:
        self._core = core
        self._kind = kind
        self._uri = uri
        self._pattern = pattern

    def __repr__(self) -> str:
        return f"<{self._kind.__name__}s {self._uri} {self._pattern}>"

    def __iter__(self) -> Iterator[E_co]:
        kind = self._kind
        for cells in self._core.listing(self._uri, kind._columns).as_dicts():
            row = _texts(cells)
            names = (row["ID"], row.get(kind._label_column, ""))
            if any(fnmatchcase(name, self._pattern) for name in names):
                yield kind(self._core, self._uri, row["ID"], row)

    def get(self, *columns: str) -> list[str]:
        """The ids, or the labels with `get('label')`."""
        if columns == ("label",):
            return [element.label() for element in self]
        return [element.id() for element in self]

    fetchall = get

    def first(self) -> E_co | None:
        """The first one, None when there is none."""
        return next(iter(self), None)

    fetchone = first


def _texts(cells: Mapping[str, object]) -> _Row:
    return {key: "" if cell is None else str(cell) for key, cell in cells.items()}
