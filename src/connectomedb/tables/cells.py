"""Cells as text, a column of a batch at a time: most columns can be printed as they are, and a glance tells.

It knows how values are spelled and how a medium quotes them, not what stands around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from html import escape
from json.encoder import encode_basestring
from typing import Any, Literal

from connectomedb.schema.model import ValueType
from connectomedb.schema.values import print_value
from connectomedb.tables.result import Cell, Column

Medium = Literal["json", "csv", "xml"]

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
# What XML 1.0 has no way to say.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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


@dataclass(frozen=True, slots=True)
class Encoder:
    """Cells of one column in, what `%s` spells as the medium wants it out.

    Texts come quoted for what stands around them: JSON's inside its quotation marks, CSV's with their own.
    """

    value_type: str
    medium: Medium

    def __call__(self, cells: Sequence[Any]) -> Sequence[Any]:
        kinds = set(map(type, cells))
        passes = _PASSES.get(self.value_type)
        kind = _PYTHON_TYPES.get(self.value_type, str)
        # Cells of another type than the column promises are spelled one by one.
        if passes is None or not kinds <= {kind, _NOTHING} or not passes(cells, _QUOTES[self.medium][1]):
            return [self._one(cell) for cell in cells]
        return ["" if cell is None else cell for cell in cells] if _NOTHING in kinds else cells

    def _one(self, cell: Cell) -> str:
        text = spell_json(cell, self.value_type) if self.medium == "json" else spell(cell, self.value_type)
        return _QUOTES[self.medium][0](text) if text else ""


def encoders(columns: Sequence[Column], medium: Medium) -> tuple[Encoder, ...]:
    """One encoder per column."""
    return tuple(Encoder(column.value_type, medium) for column in columns)


# Whether `%s` spells every cell of a column as it should be: most columns need nothing done to them.


def _whole_numbers(_cells: Sequence[Any], _special: re.Pattern[str]) -> bool:
    return True


def _plain_numbers(cells: Sequence[Any], _special: re.Pattern[str]) -> bool:
    """No number that Python writes with an exponent, where XNAT's has a point in front of it."""
    sizes = list(map(abs, filter(None, cells)))
    return not sizes or (min(sizes) >= _SMALLEST_PLAIN and max(sizes) < _LARGEST_PLAIN)


def _plain_texts(cells: Sequence[Any], special: re.Pattern[str]) -> bool:
    return special.search("".join(filter(None, cells))) is None


_SMALLEST_PLAIN, _LARGEST_PLAIN = 1e-4, 1e16
_PASSES: Mapping[str, Callable[[Sequence[Any], re.Pattern[str]], bool]] = {
    "integer": _whole_numbers,
    "float": _plain_numbers,
    "string": _plain_texts,
}
_QUOTES: Mapping[Medium, tuple[Callable[[str], str], re.Pattern[str]]] = {
    "json": (lambda text: encode_basestring(text)[1:-1], re.compile(r'["\\\x00-\x1f]')),
    "csv": (quote_csv, _CSV_SPECIAL),
    # Markup, and what is no part of XML.
    "xml": (quote_xml, re.compile(f"[&<>\"']|{_NO_XML.pattern}")),
}
