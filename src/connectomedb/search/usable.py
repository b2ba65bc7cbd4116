"""What is left of a question without the columns that nobody knows.

XNAT drops unknown search fields in silence. We refuse them with the nearest names: a column that is missing
without a word is a wrong answer. A client that relies on the old way asks leniently, and is told what went.
Unknown names in conditions are errors for everybody.

Source  protocol/search-and-types.md 2.6 and 4.9
"""

from __future__ import annotations

from dataclasses import replace

from connectomedb.errors import QueryError
from connectomedb.schema.registry import DataTypes
from connectomedb.search.query import CriteriaSet, SearchField, SearchQuery
from connectomedb.search.resolve import resolve


def usable(query: SearchQuery, types: DataTypes) -> tuple[SearchQuery, tuple[SearchField, ...]]:
    """The question with the columns that resolve, and those that do not. None left means the defaults."""
    known: list[SearchField] = []
    unknown: list[SearchField] = []
    for field in query.fields:
        alone = replace(query, fields=(field,), where=CriteriaSet(), sort_by=None)
        try:
            resolve(alone, types)
        except QueryError:
            unknown.append(field)
        else:
            known.append(field)
    return replace(query, fields=tuple(known)), tuple(unknown)
