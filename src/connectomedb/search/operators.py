"""Comparison operators: how they are spelled, what they need, how a person reads them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connectomedb.errors import BadConstraint

Needs = Literal["value", "list", "range", "nothing"]


@dataclass(frozen=True, slots=True)
class Operator:
    """One comparison type; `words` is how a sentence says it."""

    spelling: str
    needs: Needs
    words: str


OPERATORS: Mapping[str, Operator] = {
    o.spelling: o
    for o in (
        Operator("=", "value", "is"),
        Operator("!=", "value", "is not"),
        Operator("<", "value", "is below"),
        Operator("<=", "value", "is at most"),
        Operator(">", "value", "is above"),
        Operator(">=", "value", "is at least"),
        Operator("LIKE", "value", "is like"),
        Operator("NOT LIKE", "value", "is not like"),
        Operator("IN", "list", "is one of"),
        Operator("NOT IN", "list", "is none of"),
        Operator("BETWEEN", "range", "is between"),
        Operator("IS NULL", "nothing", "has no value"),
        Operator("IS NOT NULL", "nothing", "has a value"),
        Operator("IS DISTINCT FROM", "value", "differs from"),
        Operator("IS NOT DISTINCT FROM", "value", "is the same as"),
    )
}
_SYNONYMS = {"<>": "!=", "==": "=", "ISNULL": "IS NULL", "ILIKE": "LIKE"}


def normalise(spelling: str, value: str = "") -> tuple[str, str]:
    """The operator and value in their one spelling: trimmed, upper case, `IS` + `NULL` joined.

    Raises   BadConstraint for an operator that there is not
    """
    name = " ".join(spelling.upper().split())
    name = _SYNONYMS.get(name, name)
    if name in ("IS", "IS NOT"):
        tail = " ".join(value.upper().split())
        joined = {
            ("IS", "NULL"): "IS NULL",
            ("IS", "NOT NULL"): "IS NOT NULL",
            ("IS NOT", "NULL"): "IS NOT NULL",
        }.get((name, tail))
        if joined is None:
            raise BadConstraint(f"{spelling} goes with NULL or NOT NULL, not with {value!r}")
        return joined, ""
    if name not in OPERATORS:
        raise BadConstraint(f"unknown operator {spelling!r}; there are: {', '.join(OPERATORS)}")
    return name, "" if OPERATORS[name].needs == "nothing" else value


def split_list(text: str) -> tuple[str, ...]:
    """`1, 2`, `'a','b'` or `"a, b"`: commas outside quotes separate; blanks and quotes go.

    A quote inside quotes of its own kind is doubled, as in SQL.
    Raises   BadConstraint for a quote that is not closed
    """
    parts: list[str] = []
    rest = text.strip()
    while rest:
        if rest[0] in "'\"":
            match = re.match(rf"{rest[0]}((?:[^{rest[0]}]|{rest[0] * 2})*){rest[0]}\s*(?:,|\Z)", rest)
            if match is None:
                raise BadConstraint(f"the list {text!r} has a quote that is not closed")
            parts.append(match[1].replace(rest[0] * 2, rest[0]))
            rest = rest[match.end() :].strip()
        else:
            head, _, rest = rest.partition(",")
            parts.append(head.strip())
            rest = rest.strip()
    return tuple(part for part in parts if part)


def split_range(text: str) -> tuple[str, str]:
    """`a AND b`, each in quotes or not; inside quotes AND is a word like any other."""
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise BadConstraint(f"BETWEEN needs 'a AND b', not {text!r}")
    return _bare(match[1]), _bare(match[2])


def join_range(low: str, high: str) -> str:
    """The text that `split_range` reads back; quotes only where they are needed."""
    return f"{_quoted(low)} AND {_quoted(high)}"


_END = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?:(?!\s+AND\s).)+?"
_RANGE = re.compile(rf"({_END})\s+AND\s+({_END})", re.IGNORECASE | re.DOTALL)


def _bare(text: str) -> str:
    quote = text[0]
    if quote in "'\"" and len(text) > 1 and text[-1] == quote:
        return text[1:-1].replace(quote * 2, quote)
    return text


def _quoted(text: str) -> str:
    if re.fullmatch(r"[^\s'\"]+", text):
        return text
    return "'" + text.replace("'", "''") + "'"
