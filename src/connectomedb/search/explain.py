"""A question as one English sentence."""

from __future__ import annotations

from collections.abc import Iterator

from connectomedb.search.operators import OPERATORS
from connectomedb.search.resolve import (
    ResolvedCriterion,
    ResolvedField,
    ResolvedQuery,
    ResolvedSet,
    chosen_entries,
)

_MOST_LISTED = 10


def explain(query: ResolvedQuery) -> str:
    """`The nt:scores rows where NEO_NEOFAC_A is above 40: SUBJECT_ID, NEO_NEOFAC_A, by SUBJECT_ID.`"""
    root = query.root.xsi_type
    columns = ", ".join(_name(field, root) for field in query.fields)
    condition = f" where {_set(query.where, root)}" if query.where.members else ""
    order = ", ".join(f"{_name(field, root)}{_direction(field, way)}" for field, way in query.order)
    return f"The {root} rows{condition}: {columns}{f', by {order}' if order else ''}.{_others(query)}"


def _direction(field: ResolvedField, way: str) -> str:
    if way == "ASC":
        return ""
    kind = field.display.value_type
    return " from the latest" if kind in ("date", "time", "dateTime") else " from the highest"


def _others(query: ResolvedQuery) -> str:
    """What a reader must know of other types: that they are judged one row at a time, and which is shown."""
    root = query.root.xsi_type
    judged = dict.fromkeys(c.data_type.xsi_type for c in _criteria(query.where))
    shown = dict.fromkeys(field.data_type.xsi_type for field in query.fields)
    sentences = [
        f" All that is said of {name} is said of one and the same {name}." for name in judged if name != root
    ]
    sentences += [
        f" Of several {name} the latest is shown." for name in shown if name not in (root, "xnat:subjectData")
    ]
    return "".join(sentences)


def _criteria(criteria: ResolvedSet) -> Iterator[ResolvedCriterion]:
    for member in criteria.members:
        if isinstance(member, ResolvedSet):
            yield from _criteria(member)
        else:
            yield member


def _set(criteria: ResolvedSet, root: str) -> str:
    project = _membership(criteria, root)
    if project:
        return project
    parts = [
        _set_in(m, root) if isinstance(m, ResolvedSet) else _criterion(m, root) for m in criteria.members
    ]
    return f" {criteria.method.lower()} ".join(parts)


def _set_in(criteria: ResolvedSet, root: str) -> str:
    text = _set(criteria, root)
    return f"({text})" if len(criteria.members) > 1 and not _membership(criteria, root) else text


def _membership(criteria: ResolvedSet, root: str) -> str:
    """'In project P', when the set says that and nothing else."""
    found = [m for m in criteria.members if isinstance(m, ResolvedCriterion) and m.comparison_type == "="]
    projects = {m.display.expression[0]: m.operand for m in found}
    if (
        criteria.method != "OR"
        or len(criteria.members) != 2
        or set(projects) != {"member_owner", "member_share"}
    ):
        return ""
    types = {m.data_type.xsi_type for m in found}
    if len(set(projects.values())) != 1 or len(types) != 1:
        return ""
    whose = "" if types == {root} else f" of {types.pop()}"
    return f"the project{whose} is {projects['member_owner']} (owned or shared)"


def _criterion(criterion: ResolvedCriterion, root: str) -> str:
    operator = OPERATORS[criterion.comparison_type]
    name = _name(criterion, root)
    if operator.needs == "nothing":
        return f"{name} {operator.words}"
    if operator.needs == "list":
        listed = ", ".join(str(o) for o in criterion.operands[:_MOST_LISTED])
        more = len(criterion.operands) - _MOST_LISTED
        return f"{name} {operator.words} {listed}{f' and {more} more' if more > 0 else ''}"
    if operator.needs == "range":
        return f"{name} {operator.words} {criterion.operands[0]} and {criterion.operands[1]}"
    return f"{name} {operator.words} {criterion.operand}"


def _name(field: ResolvedField | ResolvedCriterion, root: str) -> str:
    """The field as a person says it; that of another type with the type's name."""
    name, value = field.display.id, field.value
    computation, *arguments = field.display.expression
    if name == "FILE_COUNT":
        text = f"the number of {value} files"
    elif name == "FILE_BYTES":
        text = f"the bytes of {value} files"
    elif computation == "entry":
        chosen = (f"the {one.leaf} {one.value}" for one in chosen_entries(field.display))
        text = f"some {arguments[0]}" + (f" with {' and '.join(said)}" if (said := list(chosen)) else "")
    elif computation == "member_share":
        text = "a project that it is shared into"
    else:
        text = f"{name}={value}" if value else name
    other = field.data_type.xsi_type
    return text if other == root else f"{other} {text}"
