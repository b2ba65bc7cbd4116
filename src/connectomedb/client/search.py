"""Questions in pyxnat's words: `select(type, columns).where(constraints)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from connectomedb.client.core import Core, asked_columns
from connectomedb.client.manage import SearchManager, field_ref, fill
from connectomedb.errors import BadConstraint
from connectomedb.search.query import CriteriaSet, FieldRef, SearchField, SearchQuery

if TYPE_CHECKING:
    from connectomedb.tables.jsontable import JsonTable

SUBJECT = "xnat:subjectData"


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
        return self._ask(criteria_of(self._core, self._data_type, constraints, template, query))

    def all(self) -> JsonTable:
        """Every row."""
        return self._ask(CriteriaSet())

    def _ask(self, where: CriteriaSet) -> JsonTable:
        from connectomedb.tables.jsontable import JsonTable

        table = self._core.search(SearchQuery(self._data_type, self._fields, where))
        return JsonTable(table.select(asked_columns(table, self._fields)))


def criteria_of(
    core: Core,
    data_type: str,
    constraints: Sequence[Any] = (),
    template: tuple[str, Mapping[str, object]] | None = None,
    query: str = "",
) -> CriteriaSet:
    """What `where` says: constraints, a template with its values, or the name of a saved search."""
    from connectomedb.search.pyxnat_syntax import parse_constraints

    saved = SearchManager(core)
    if template is not None:
        return fill(saved.get_template(template[0]), template[1]).where
    if query:
        return saved.load(query).where
    if isinstance(constraints, str):
        raise BadConstraint("constraints are a list of (field, operator, value) and 'AND' or 'OR'")
    return parse_constraints(list(constraints), data_type)


def subjects_meeting(
    core: Core,
    constraints: Sequence[Any] = (),
    template: tuple[str, Mapping[str, object]] | None = None,
    query: str = "",
) -> frozenset[str]:
    """Ids of the subjects that meet constraints on fields of any type. Cost: one search."""
    where = criteria_of(core, SUBJECT, constraints, template, query)
    field = SearchField(FieldRef(SUBJECT, "SUBJECT_ID"), header=f"{SUBJECT}/SUBJECT_ID")
    table = core.search(SearchQuery(SUBJECT, (field,), where))
    return frozenset(str(cell) for cell in table.column(asked_columns(table, (field,))[0]))
