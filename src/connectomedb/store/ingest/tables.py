"""Tables as files: CSV and TSV read line by line, each fault with its line; and their dictionaries.

Nothing here knows what a column means.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from connectomedb.errors import DocumentError
from connectomedb.store.report import Refusal

MAX_DICTIONARY_BYTES = 16 << 20
_DELIMITERS = {".tsv": "\t", ".tab": "\t"}
_NAMES = {",": "comma", "\t": "tab", ";": "semicolon"}
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")

Refuse = Callable[[Refusal], None]


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table on disk and its head; the rows are read when they are asked for."""

    path: Path
    delimiter: str
    head: tuple[str, ...]
    quoted: bool = True

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    def rows(self, refuse: Refuse) -> Iterator[tuple[int, list[str]]]:
        """Each row with the line on which it begins; rows of the wrong length are refused.

        Raises   DocumentError with the line when the file cannot be read on from there
        Cost     memory for one row
        """
        lines = _rows(self.path, self.delimiter, self.quoted)
        next(lines)
        for line, cells in lines:
            if len(cells) == len(self.head):
                yield line, cells
            elif any(cell.strip() for cell in cells):
                reason = f"{len(cells)} cells where the head has {len(self.head)}"
                refuse(Refusal(self.path.name, reason, line))


def open_table(path: Path, *, delimiter: str = "", quoted: bool = True) -> TableFile:
    """The table in a file; its delimiter is told by the file's ending, else by its head.

    Raises   DocumentError when it cannot be read, has no head, or a column without a name or named twice
    """
    delimiter = delimiter or _DELIMITERS.get(path.suffix.lower(), "") or _guess(path)
    try:
        _, head = next(_rows(path, delimiter, quoted))
    except StopIteration:
        raise DocumentError(f"{path.name} is empty; a table begins with the names of its columns") from None
    names = tuple(name.strip() for name in head)
    if "" in names:
        raise DocumentError(f"{path.name}, line 1: column {names.index('') + 1} has no name; give it one")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DocumentError(f"{path.name}, line 1: the column {twice[0]!r} stands twice; rename one")
    return TableFile(path, delimiter, names, quoted)


def read_dictionary(path: Path) -> dict[str, Any]:
    """A data dictionary in BIDS's shape: an object with one object per column.

    Raises   DocumentError when it is not
    """
    try:
        if path.stat().st_size > MAX_DICTIONARY_BYTES:
            raise DocumentError(f"{path.name} has more than {MAX_DICTIONARY_BYTES} bytes; split it")
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as problem:
        raise DocumentError(f"{path} cannot be read ({problem.strerror})") from problem
    except (ValueError, RecursionError) as problem:
        raise DocumentError(f"{path.name} is not JSON in UTF-8: {problem}") from problem
    if not isinstance(found, dict):
        raise DocumentError(f"{path.name} is not a dictionary of columns")
    return found


def facts_of(dictionary: Mapping[str, Any], column: str) -> Mapping[str, Any]:
    """What a dictionary says about a column; {} when nothing."""
    facts = dictionary.get(column)
    return facts if isinstance(facts, Mapping) else {}


def _rows(path: Path, delimiter: str, quoted: bool) -> Iterator[tuple[int, list[str]]]:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    reader = csv.reader(_lines(path), delimiter=delimiter, quoting=quoting, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as problem:
        raise DocumentError(
            f"{path.name}, line {begins}: {problem}; the row cannot be told from those after it"
        ) from problem


def _lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 file, with or without a byte order mark."""
    try:
        stream = path.open("rb")
    except OSError as problem:
        raise DocumentError(f"{path} cannot be read ({problem.strerror})") from problem
    with stream:
        for number, raw in enumerate(stream, 1):
            if number == 1:
                if raw.startswith(_BYTE_ORDER_MARKS):
                    raise DocumentError(f"{path.name} is in UTF-16; save it as UTF-8")
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            try:
                line = raw.decode("utf-8")
            except UnicodeDecodeError as problem:
                raise DocumentError(
                    f"{path.name}, line {number}: byte {raw[problem.start]:#04x} is not UTF-8; "
                    "save the file as UTF-8 (it may be Latin-1)"
                ) from problem
            if "\x00" in line:
                raise DocumentError(f"{path.name}, line {number}: a NUL character; it is no text file")
            yield line


def _guess(path: Path) -> str:
    first = next(_lines(path), "")
    return next((mark for mark in (",", "\t", ";") if mark in first), ",")
