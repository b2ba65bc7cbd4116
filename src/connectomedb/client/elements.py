"""What every handle of pyxnat's face can do: be found, read, made, changed, deleted; alone or many at once.

A handle made from a listing carries its row, so that its id and label cost no further request. The kinds of
handles are in `hierarchy` and `resources`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar, overload

from connectomedb.client.attributes import Attributes
from connectomedb.client.core import Core
from connectomedb.errors import ConfigurationError, NotFound, QueryError, ServerFault
from connectomedb.vocabulary.hierarchy import BELOW, Level, level_of
from connectomedb.vocabulary.uris import join_uri, level_uri

if TYPE_CHECKING:
    from lxml import etree

Row = dict[str, str]
E_co = TypeVar("E_co", bound="Element", covariant=True)
_KINDS: dict[Level, type[Element]] = {}


def kind_of(level: Level) -> type[Element]:
    """The class of the handles of a level."""
    return _KINDS[level]


class Element:
    """One thing in the hierarchy, addressed by id or label."""

    level: ClassVar[Level]
    # Columns that its listing is asked for; the first is the id.
    columns: ClassVar[tuple[str, ...]] = ("ID", "label")
    label_column: ClassVar[str] = "label"
    # What is made when nobody says which type.
    default_type: ClassVar[str] = ""
    no_such: ClassVar[type[NotFound]] = NotFound

    def __init_subclass__(cls) -> None:
        if "level" in vars(cls):
            _KINDS[cls.level] = cls

    def __init__(
        self, core: Core, above: Element | None, name: str, row: Row | None = None, *, by: str = ""
    ) -> None:
        """`name` is how it is addressed below `above`; `by` the address of another listing that has it."""
        self._core = core
        self._above = above
        self._name = name
        self._row = row
        self._collection_uri = by or level_uri(above.uri if above else "/data", self.level)
        self._document: bytes | None = None
        self._root: etree._Element | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"

    @property
    def uri(self) -> str:
        """The path on the server."""
        return join_uri(self._collection_uri, self._name)

    @property
    def attrs(self) -> Attributes:
        """Its values by schema path: `attrs.get('date')`, `attrs.set('date', '2013-03-05')`."""
        return Attributes(self._core, self)

    def id(self) -> str:
        """The site-wide id."""
        return self._cell(self.columns[0])

    def label(self) -> str:
        """The name inside the project it was reached by."""
        return self._cell(self.label_column)

    def datatype(self) -> str:
        """The data type, `nt:scores`."""
        return self._cell("xsiType")

    def exists(self, consistent: bool = False) -> bool:
        """Whether it is there and visible; any trouble but its absence is raised.

        With `consistent` the server is asked again; without it as well, if nothing is known of it.
        """
        if consistent:
            self.refresh()
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

    def xpath(self, expression: str) -> list[Any]:
        """What an XPath finds in the document, with the prefixes its root declares. Only the first asks."""
        from lxml import etree

        try:
            found = self._tree().xpath(expression, namespaces=self.namespaces())
        except etree.XPathError as error:
            raise QueryError(f"the XPath {expression!r} cannot be used: {error}") from error
        return found if isinstance(found, list) else [found]

    def namespaces(self) -> dict[str, str]:
        """The namespaces of the document by prefix."""
        return {prefix: uri for prefix, uri in self._tree().nsmap.items() if prefix}

    def parent(self) -> Element | None:
        """What it was reached by; None for what stands at the top."""
        return self._above

    @overload
    def children(self, show_names: Literal[True] = True) -> list[str]: ...

    @overload
    def children(self, show_names: Literal[False]) -> Collection[Element]: ...

    @overload
    def children(self, show_names: bool) -> list[str] | Collection[Element]: ...

    def children(self, show_names: bool = True) -> list[str] | Collection[Element]:
        """Names of the levels below it, or everything that stands there."""
        if show_names:
            return list(BELOW[self.level])
        parts = [self.below(level) for level in BELOW[self.level]]
        return Collection(self._core, Element, lambda: (element for part in parts for element in part))

    def below(self, level: Level, pattern: str = "*") -> Collection[Element]:
        """What stands on a level below it; ids or labels match the pattern."""
        return listed(self._core, kind_of(level), self, pattern)

    def create(self, **params: Any) -> Self:
        """Make it if it is not there, and what it stands in where that is missing.

        The names of levels say types: `experiments='xnat:petSessionData'`. `xml` is a file with the document
        or the document itself, `use_label` makes the label the id, `params` holds further parameters of the
        request; everything else is a value by its short name or path: `ID='x'`, `age='33'`.

        Cost     two requests where its parent is there
        """
        own = dict(params)
        document = own.pop("xml", None)
        if document is None and self.exists(consistent=True):
            return self
        types: dict[Level, str] = {}
        for name in list(own):
            level = level_of(name)
            if level is not None:
                types[level] = str(own.pop(name))
        asked = {key: _text(value) for key, value in dict(own.pop("params", None) or {}).items()}
        for name in ("allowDataDeletion", "overwrite"):
            if name in own:
                asked[name] = _text(own.pop(name))
        if own.pop("use_label", False):
            own["ID"] = self._name
        self._put(types, asked | {key: _text(value) for key, value in own.items()}, document)
        self.refresh()
        return self

    insert = create

    def delete(self, delete_files: bool = True) -> None:
        """Delete it and everything in it; `delete_files` with the files."""
        self._core.send("DELETE", self.uri, {"removeFiles": "true"} if delete_files else None)
        self.refresh()

    def refresh(self) -> None:
        """Forget what was fetched; the next call asks the server again."""
        self._row = self._document = self._root = None

    def _put(self, types: Mapping[Level, str], asked: Mapping[str, str], document: object) -> None:
        xsi_type = types.get(self.level, self.default_type)
        query = {"xsiType": xsi_type, **asked} if xsi_type and document is None else dict(asked)
        body, headers = b"", {}
        if document is not None:
            body, headers = _document_bytes(document), {"Content-Type": "text/xml"}
        try:
            self._core.send("PUT", self.uri, query, body, headers=headers)
        except NotFound:
            if self._above is None or self._above.exists(consistent=True):
                raise
            kinds: dict[str, str] = {level: name for level, name in types.items() if level != self.level}
            self._above.create(**kinds)
            self._core.send("PUT", self.uri, query, body, headers=headers)

    def _tree(self) -> etree._Element:
        from connectomedb.errors import NotWellFormed
        from connectomedb.schema.xml import parse_xml

        if self._root is None:
            try:
                self._root = parse_xml(self.get())
            except NotWellFormed as error:
                raise ServerFault(
                    f"{self.uri} sent a document that is not XML: {error}", url=self.uri
                ) from error
        return self._root

    def _found(self) -> Row:
        if self._row is None:
            table = self._core.listing(self._collection_uri, self.columns)
            rows = [texts(row) for row in table.as_dicts()]
            ids = [row for row in rows if row[self.columns[0]] == self._name]
            labels = [row for row in rows if row.get(self.label_column) == self._name]
            if not ids and not labels:
                raise self.no_such(f"no {self.level[:-1]} {self._name!r} under {self._collection_uri}")
            self._row = (ids or labels)[0]
        return self._row

    def _cell(self, column: str) -> str:
        row = self._found()
        if column not in row:
            raise ServerFault(f"the listing {self._collection_uri} came without the column {column!r}")
        return row[column]


class Collection(Generic[E_co]):
    """Many handles, asked of the server anew each time they are walked.

    Collections nest: `select.projects().subjects().experiments()`.
    """

    def __init__(self, core: Core, kind: type[E_co], walk: Callable[[], Iterable[E_co]]) -> None:
        self._core = core
        self._kind = kind
        self._walk = walk

    def __repr__(self) -> str:
        return f"<Collection of {self._kind.__name__.lower()}s>"

    def __iter__(self) -> Iterator[E_co]:
        return iter(self._walk())

    def __bool__(self) -> bool:
        """Whether there is any; asks the server."""
        return self.first() is not None

    @overload
    def __getitem__(self, key: int) -> E_co: ...

    @overload
    def __getitem__(self, key: slice) -> list[E_co]: ...

    def __getitem__(self, key: int | slice) -> E_co | list[E_co]:
        found = list(self)
        return found[key]

    def get(self, *columns: str) -> list[Any]:
        """The ids; or what is named of 'id', 'label' and 'obj': a list, or tuples of several."""
        wanted = columns or ("id",)
        unknown = sorted(set(wanted) - {"id", "ID", "label", "obj"})
        if unknown:
            raise QueryError(f"a collection gives 'id', 'label' and 'obj', not {unknown[0]!r}")
        readers: dict[str, Callable[[Element], object]] = {
            "id": lambda element: element.id(),
            "ID": lambda element: element.id(),
            "label": lambda element: element.label(),
            "obj": lambda element: element,
        }
        rows = [tuple(readers[name](element) for name in wanted) for element in self]
        return [row[0] for row in rows] if len(wanted) == 1 else list(rows)

    fetchall = get

    def first(self) -> E_co | None:
        """The first one, None when there is none."""
        return next(iter(self), None)

    fetchone = first

    def below(self, level: Level, pattern: str = "*") -> Collection[Any]:
        """What stands on a level below each of them."""
        kind = kind_of(level)

        def walk() -> Iterator[Element]:
            for element in self:
                if level not in BELOW[element.level]:
                    allowed = ", ".join(BELOW[element.level]) or "nothing"
                    raise QueryError(f"below {element.level} there are no {level}; there are: {allowed}")
                yield from listed(self._core, kind, element, pattern)

        return Collection(self._core, kind, walk)

    def subjects(self, pattern: str = "*") -> Collection[Any]:
        """The subjects of each."""
        return self.below("subjects", pattern)

    def experiments(self, pattern: str = "*") -> Collection[Any]:
        """The experiments of each."""
        return self.below("experiments", pattern)

    def scans(self, pattern: str = "*") -> Collection[Any]:
        """The scans of each."""
        return self.below("scans", pattern)

    def assessors(self, pattern: str = "*") -> Collection[Any]:
        """The assessors of each."""
        return self.below("assessors", pattern)

    def reconstructions(self, pattern: str = "*") -> Collection[Any]:
        """The reconstructions of each."""
        return self.below("reconstructions", pattern)

    def resources(self, pattern: str = "*") -> Collection[Any]:
        """The resources of each."""
        return self.below("resources", pattern)

    def in_resources(self, pattern: str = "*") -> Collection[Any]:
        """The resources that each was made from."""
        return self.below("in_resources", pattern)

    def out_resources(self, pattern: str = "*") -> Collection[Any]:
        """The resources that each holds as made."""
        return self.below("out_resources", pattern)

    def files(self, pattern: str = "*") -> Collection[Any]:
        """The files of each."""
        return self.below("files", pattern)

    def subject(self, name: str) -> Collection[Any]:
        """The subject of that id or label in each."""
        return self.below("subjects", _exactly(name))

    def experiment(self, name: str) -> Collection[Any]:
        """The experiment of that id or label in each."""
        return self.below("experiments", _exactly(name))

    def scan(self, name: str) -> Collection[Any]:
        """The scan of that ID in each."""
        return self.below("scans", _exactly(name))

    def assessor(self, name: str) -> Collection[Any]:
        """The assessor of that id or label in each."""
        return self.below("assessors", _exactly(name))

    def reconstruction(self, name: str) -> Collection[Any]:
        """The reconstruction of that ID in each."""
        return self.below("reconstructions", _exactly(name))

    def resource(self, name: str) -> Collection[Any]:
        """The resource of that label in each."""
        return self.below("resources", _exactly(name))

    def in_resource(self, name: str) -> Collection[Any]:
        """The resource of that label that each was made from."""
        return self.below("in_resources", _exactly(name))

    def out_resource(self, name: str) -> Collection[Any]:
        """The resource of that label that each holds as made."""
        return self.below("out_resources", _exactly(name))

    def file(self, name: str) -> Collection[Any]:
        """The file of that path in each."""
        return self.below("files", _exactly(name))

    def share(self, project: str) -> None:
        """Let a project see each of them."""
        for element in self:
            _shared(element).share(project)

    def unshare(self, project: str) -> None:
        """Take each of them out of a project."""
        for element in self:
            _shared(element).unshare(project)

    def sharing(self, projects: Sequence[str] = ()) -> Collection[E_co]:
        """Those that all of these projects see."""
        wanted = set(projects)

        def walk() -> Iterator[E_co]:
            return (one for one in self if wanted <= set(_shared(one).shares().get()))

        return Collection(self._core, self._kind, walk)

    def download(
        self,
        dest_dir: str | Path,
        type: str = "ALL",  # noqa: A002  # pyxnat's word
        name: str | None = None,
        extract: bool = False,
        safe: bool = False,
        removeZip: bool = False,  # noqa: N803  # pyxnat's word
    ) -> list[str]:
        """Fetch all files of what one session holds of this level; see `bundles.download`."""
        from connectomedb.client.bundles import download

        return download(self, Path(dest_dir), type, name, extract=extract, safe=safe, remove_zip=removeZip)

    def where(
        self,
        constraints: Sequence[Any] = (),
        template: tuple[str, Mapping[str, object]] | None = None,
        query: str = "",
    ) -> Collection[E_co]:
        """Those whose subject meets pyxnat's constraints, a template with values, or a saved search.

        Cost     one search more than the walk
        Raises   QueryError when a handle has no subject
        """
        from connectomedb.client.search import subjects_meeting

        def walk() -> Iterator[E_co]:
            wanted = subjects_meeting(self._core, constraints, template, query)
            return (element for element in self if subject_of(element) in wanted)

        return Collection(self._core, self._kind, walk)


def listed(
    core: Core,
    kind: type[E_co],
    above: Element | None,
    pattern: str = "*",
    *,
    filters: Mapping[str, str] | None = None,
) -> Collection[E_co]:
    """The handles of one listing whose id or label matches."""
    uri = level_uri(above.uri if above else "/data", kind.level)

    def walk() -> Iterator[E_co]:
        for cells in core.listing(uri, kind.columns, **(filters or {})).as_dicts():
            row = texts(cells)
            name = row[kind.columns[0]]
            if any(fnmatchcase(one, pattern) for one in (name, row.get(kind.label_column, ""))):
                yield kind(core, above, name, row)

    return Collection(core, kind, walk)


def _exactly(name: str) -> str:
    """The pattern that this name alone matches."""
    return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in str(name))


def _shared(element: Any) -> Any:
    """The element, when it can be shared."""
    if element.level not in ("subjects", "experiments"):
        raise QueryError(f"{element.level} are not shared; subjects and experiments are")
    return element


def subject_of(element: Element) -> str:
    """The id of the subject that an element belongs to. Raises QueryError for one without."""
    at: Element | None = element
    while at is not None:
        if at.level == "subjects":
            return at.id()
        if at.level == "experiments":
            return at._cell("subject_ID")
        at = at.parent()
    raise QueryError(f"{element!r} belongs to no subject: `where` chooses by subjects")


def texts(cells: Mapping[str, object]) -> Row:
    """The cells of a listing as texts."""
    return {key: "" if cell is None else str(cell) for key, cell in cells.items()}


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _document_bytes(document: object) -> bytes:
    """A document given as bytes, as a text that begins with `<`, or as the path of its file."""
    if isinstance(document, bytes):
        return document
    text = str(document)
    if text.lstrip().startswith("<"):
        return text.encode("utf-8")
    try:
        return Path(text).read_bytes()
    except OSError as problem:
        raise ConfigurationError(f"cannot read the document {text}: {problem.strerror}") from problem
