"""Cells as text, a column of a batch at a time: the encoder of a column is chosen once, then only looked up.

It knows how values are spelled and how a medium quotes them, not what stands around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from html import escape
from json.encoder import encode_basestring
from typing import Any, Literal

from connectomedb.schema.model import ValueType
from connectomedb.schema.values import print_value
from connectomedb.tables.result import Cell, Column, Row

Medium = Literal["json", "csv", "xml"]
Encoder = Callable[[Sequence[Cell]], Sequence[str]]

VALUE_TYPES: Mapping[str, ValueType] = {
    "string": "string",
    "integer": "integer",
    "float": "float",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "dateTime": "dateTime",
}
_PYTHON_TYPES: Mapping[str, type] = {
    "string": str,
    "integer": int,
    "float": float,
    "boolean": bool,
    "date": date,
    "time": time,
    "dateTime": datetime,
}
_NOTHING = type(None)
_LINE_BREAK = re.compile(r"\r\n|\n|\r")
_CSV_SPECIAL = re.compile(r'[",\r\n]')
_MARKUP = re.compile(r"[&<>\"']")
# What XML 1.0 has no way to say.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_REMEMBERED = 1024


def spell(cell: Cell, value_type: str = "string") -> str:
    """One cell as text; no value is the empty text."""
    if cell is None:
        return ""
    return print_value(cell, VALUE_TYPES.get(value_type, "string"))


def spell_json(cell: Cell, value_type: str = "string") -> str:
    """One cell as JSON answers spell it: a time has thousandths there."""
    if isinstance(cell, time):
        return cell.isoformat("microseconds" if cell.microsecond % 1000 else "milliseconds")
    return spell(cell, value_type)


def quote_csv(text: str) -> str:
    """A text as a cell of CSV: on one line, in quotes where it must be."""
    if not _CSV_SPECIAL.search(text):
        return text
    line = _LINE_BREAK.sub(" ", text)
    return '"' + line.replace('"', '""') + '"' if '"' in line or "," in line else line


def quote_xml(text: str) -> str:
    """A text as content of XML or HTML; characters that those cannot hold become U+FFFD."""
    return escape(_NO_XML.sub("\ufffd", text))


def encoders(columns: Sequence[Column], medium: Medium) -> tuple[Encoder, ...]:
    """One encoder per column: cells in, texts out, quoted for the medium."""
    quotes: Mapping[Medium, Callable[[str], str]] = {
        "json": encode_basestring,
        "csv": quote_csv,
        "xml": quote_xml,
    }
    alone = medium == "csv" and len(columns) == 1
    return tuple(_encoder(column.value_type, medium, quotes[medium], alone=alone) for column in columns)


def encode_rows(encode: Sequence[Encoder], rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """The rows of a batch with encoded cells."""
    columns = zip(*rows, strict=True)
    return zip(*(one(cells) for one, cells in zip(encode, columns, strict=True)), strict=True)


def _encoder(value_type: str, medium: Medium, quote: Callable[[str], str], *, alone: bool) -> Encoder:
    say = spell_json if medium == "json" else spell
    # One empty cell alone would be a blank line, which readers drop.
    empty = '""' if alone else quote("")

    def one(cell: Cell) -> str:
        text = say(cell, value_type)
        return quote(text) if text else empty

    kind = _PYTHON_TYPES.get(value_type, str)
    plain = {"string": _texts, "integer": _integers, "float": _floats}.get(value_type, _one_by_one)
    direct = plain(one, quote, medium, empty)
    return _Remembering(kind, one, direct)


class _Remembering:
    """Encodes by looking up what was encoded before, as long as a column has few different values.

    Cells of another type than the column's are encoded one by one: `1`, `1.0` and `True` are one key.
    """

    def __init__(self, kind: type, one: Callable[[Cell], str], direct: Encoder) -> None:
        self._types = frozenset((kind, _NOTHING))
        self._one = one
        self._direct = direct
        self._known: _Known | None = _Known(one)

    def __call__(self, cells: Sequence[Cell]) -> Sequence[str]:
        if not self._types.issuperset(map(type, cells)):
            return [self._one(cell) for cell in cells]
        if self._known is None:
            return self._direct(cells)
        texts = list(map(self._known.__getitem__, cells))
        if len(self._known) > _MOST_REMEMBERED:
            self._known = None
        return texts


class _Known(dict[Any, str]):
    def __init__(self, one: Callable[[Cell], str]) -> None:
        super().__init__()
        self._one = one

    def __missing__(self, cell: Any) -> str:
        text = self._one(cell)
        if cell != 0.0:  # 0.0 and -0.0 are one key and two texts
            self[cell] = text
        return text


def _one_by_one(
    one: Callable[[Cell], str], _quote: Callable[[str], str], _medium: Medium, _empty: str
) -> Encoder:
    return lambda cells: [one(cell) for cell in cells]


def _texts(one: Callable[[Cell], str], quote: Callable[[str], str], medium: Medium, empty: str) -> Encoder:
    if medium == "json":
        return lambda cells: [quote(cell) if cell else empty for cell in cells]  # type: ignore[arg-type]  # checked by the caller
    special = _CSV_SPECIAL if medium == "csv" else _MARKUP

    def encode(cells: Sequence[Any]) -> list[str]:
        texts = [cell or empty for cell in cells]
        whole = "".join(texts) if empty == "" else '"'
        if special.search(whole) or (medium == "xml" and not whole.isprintable()):
            return [quote(cell) if cell else empty for cell in cells]
        return texts

    return encode


def _integers(
    _one: Callable[[Cell], str], _quote: Callable[[str], str], medium: Medium, empty: str
) -> Encoder:
    if medium == "json":
        return lambda cells: [empty if cell is None else f'"{cell}"' for cell in cells]
    return lambda cells: [empty if cell is None else str(cell) for cell in cells]


def _floats(one: Callable[[Cell], str], _quote: Callable[[str], str], medium: Medium, empty: str) -> Encoder:
    shown = '"{}"'.format if medium == "json" else str

    def encode(cells: Sequence[Cell]) -> list[str]:
        texts = [empty if cell is None else shown(repr(cell)) for cell in cells]
        # 1e+16 is written 1.0e+16.
        return [one(c) if "e" in t else t for c, t in zip(cells, texts, strict=True)]

    return encode
