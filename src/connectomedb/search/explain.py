"""A question as one English sentence."""

from __future__ import annotations

from connectomedb.search.operators import OPERATORS
from connectomedb.search.resolve import ResolvedCriterion, ResolvedQuery, ResolvedSet


def explain(query: ResolvedQuery) -> str:
    """`The nt:scores rows where NEO_NEOFAC_A is above 40: SUBJECT_ID, NEO_NEOFAC_A, by SUBJECT_ID.`"""
    columns = ", ".join(_name(f.display.id, f.value) for f in query.fields)
    condition = f" where {_set(query.where)}" if query.where.members else ""
    order = ", ".join(
        f"{_name(f.display.id, f.value)}{' from the highest' if o == 'DESC' else ''}" for f, o in query.order
    )
    return f"The {query.root.xsi_type} rows{condition}: {columns}{f', by {order}' if order else ''}."


def _set(criteria: ResolvedSet) -> str:
    project = _membership(criteria)
    if project:
        return f"the project is {project} (owned or shared)"
    parts = [_set_in(m) if isinstance(m, ResolvedSet) else _criterion(m) for m in criteria.members]
    return f" {criteria.method.lower()} ".join(parts)


def _set_in(criteria: ResolvedSet) -> str:
    text = _set(criteria)
    return f"({text})" if len(criteria.members) > 1 and not _membership(criteria) else text


def _membership(criteria: ResolvedSet) -> str:
    names = {m.display.expression[0]: m.operand for m in criteria.members if isinstance(m, ResolvedCriterion)}
    if (
        criteria.method == "OR"
        and set(names) == {"member_owner", "member_share"}
        and len(criteria.members) == 2
    ):
        owner = names["member_owner"]
        return str(owner) if owner == names["member_share"] else ""
    return ""


def _criterion(criterion: ResolvedCriterion) -> str:
    operator = OPERATORS[criterion.comparison_type]
    name = _name(criterion.display.id, criterion.value)
    if operator.needs == "nothing":
        return f"{name} {operator.words}"
    if operator.needs == "list":
        return f"{name} {operator.words} {', '.join(str(o) for o in criterion.operands)}"
    if operator.needs == "range":
        return f"{name} {operator.words} {criterion.operands[0]} and {criterion.operands[1]}"
    if criterion.operand is None:
        return f"{name} {'has no value' if criterion.comparison_type == '=' else 'has a value'}"
    return f"{name} {operator.words} {criterion.operand}"


def _name(field_id: str, value: str) -> str:
    if field_id == "FILE_COUNT":
        return f"the number of {value} files"
    if field_id == "FILE_BYTES":
        return f"the bytes of {value} files"
    return f"{field_id}={value}" if value else field_id
