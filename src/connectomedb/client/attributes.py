"""Values of one element by schema path, read from its listing and written one by one or many at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectomedb.client.core import Core
from connectomedb.errors import NotFound, UnknownField

if TYPE_CHECKING:
    from connectomedb.client.elements import Element
    from connectomedb.tables.result import ResultTable


class Attributes:
    """`element.attrs`: paths such as `xnat:mrSessionData/date`, or short names such as `date`."""

    def __init__(self, core: Core, element: Element) -> None:
        self._core = core
        self._element = element

    def __call__(self) -> list[str]:
        """Paths of what the document has a value for."""
        return sorted({path for path in _paths(self._element) if path})

    def get(self, path: str) -> str | None:
        """One value as text; None where there is none. Raises UnknownField for a path that is none."""
        return self.mget([path])[0]

    def mget(self, paths: Sequence[str]) -> list[str | None]:
        """Several values with one request, in the order asked for."""
        element = self._element
        id_column = element.columns[0]
        names = list(dict.fromkeys((id_column, element.label_column, *paths)))
        table = self._core.listing(element._collection_uri, names)
        rows = table.as_dicts()
        own = next(
            (
                row
                for column in (id_column, element.label_column)
                for row in rows
                if column in row and str(row[column]) == element._name
            ),
            None,
        )
        if own is None:
            raise element.no_such(f"no {element.level[:-1]} {element._name!r} at {element._collection_uri}")
        found = []
        for path in paths:
            cell = own[_key_of(path, table)]
            found.append(None if cell is None or cell == "" else str(cell))
        return found

    def set(self, path: str, value: Any, **kwargs: Any) -> None:
        """Write one value. `event_reason` says why."""
        self.mset({path: value}, **kwargs)

    def mset(self, values: Mapping[str, Any], **kwargs: Any) -> None:
        """Write several values with one request."""
        said = {path: "" if value is None else str(value) for path, value in values.items()}
        told = {name: str(value) for name, value in (kwargs.pop("params", None) or {}).items()}
        xsi_type = self._element.datatype()
        query = {"xsiType": xsi_type} if xsi_type else {}
        self._core.send("PUT", self._element.uri, {**query, **said, **told, **_texts(kwargs)})
        self._element.refresh()


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


def _key_of(path: str, table: ResultTable) -> str:
    """The key of the column that answers a path: as asked, or its last word, capitals aside."""
    keys = {key.lower(): key for key in table.keys}
    for name in (path.lower(), path.rsplit("/", 1)[-1].lower()):
        if name in keys:
            return keys[name]
    raise UnknownField(path, "", [])


def _paths(element: Element) -> list[str]:
    from lxml import etree

    try:
        root = element._tree()
    except NotFound:
        return []
    found = []
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        steps = [etree.QName(one).localname for one in reversed([node, *node.iterancestors()])][1:]
        found += ["/".join((*steps, name)) for name in node.attrib if not name.startswith("{")]
        if steps and not len(node) and (node.text or "").strip():
            found.append("/".join(steps))
    return found
