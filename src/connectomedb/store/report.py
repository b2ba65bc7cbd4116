"""What came of an import: how much was stored, and each row or document that was refused, with its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why something was left out: where it stands, what stands there, and what is wrong with it.

    `column` is a table's column, or the path of an element in a document.
    """

    file: str
    reason: str
    line: int | None = None
    column: str = ""
    value: str = ""

    def __str__(self) -> str:
        place = self.file
        place += f", line {self.line}" if self.line is not None else ""
        place += f", {self.column}" if self.column else ""
        return f"{place}: {self.value!r} {self.reason}" if self.value else f"{place}: {self.reason}"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What was stored: how many items, their ids in order, what was left out and why, new types.

    `n_known` counts the files that an earlier run had stored and that were therefore not read again;
    `n_updated` those of the items that were there before and had a document laid over them.
    """

    n_stored: int
    ids: tuple[str, ...]
    refused: tuple[Refusal, ...] = ()
    types: tuple[str, ...] = ()
    n_known: int = 0
    n_updated: int = 0
