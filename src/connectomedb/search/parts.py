"""Fields of types that have no rows of their own: they are asked of the item that such a part stands in.

`xnat:demographicData/gender` in a search of subjects, or of anything about a subject, is the subject's
`demographics/gender`. Pure: from what a name means to what it means on the item around the part.

Source  protocol/search-and-types.md 4.7, "a direct reference or ownership (subject ↔ demographics)"; xnatpy
        names the fields of a part by the part's own type
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from connectomedb.errors import BadConstraint
from connectomedb.schema.expressions import Call, Case, Cast, Formula, Input
from connectomedb.schema.model import DataType, DisplayField, Node
from connectomedb.schema.registry import DataTypes

# Where a part is looked for after the search's own type: what there is one of beside most rows.
_NEAREST = ("xnat:subjectData", "xnat:imageSessionData")


@dataclass(frozen=True, slots=True)
class Place:
    """The element of an item in which a part stands; `repeats` when there may be several."""

    owner: DataType
    path: str
    repeats: bool


@lru_cache(maxsize=1024)
def find_place(part: DataType, root: DataType, types: DataTypes) -> Place | None:
    """Where a search of `root` finds parts of that type; None for a type that has rows of its own.

    Raises  BadConstraint when no item holds such a part, or several places are equally near
    """
    if types.has_rows(part.xsi_type) or types.is_a(part.xsi_type, root.xsi_type):
        return None
    near = [root, *(types.get(name) for name in _NEAREST if name in types)]
    others = [t for t in types.all() if types.has_rows(t.xsi_type)]
    for owner in near:
        found = _places(part, owner, types)
        if found:
            return _only(part, found)
    holders = [place for owner in others for place in _places(part, owner, types)]
    # A type that inherits the place says nothing new.
    tops = [p for p in holders if not any(_inherits(p, other, types) for other in holders)]
    if not tops:
        raise BadConstraint(f"no item holds {part.xsi_type}; nothing of it can be searched")
    return _only(part, tops)


def on_the_item(display: DisplayField, place: Place, part: DataType) -> DisplayField:
    """The field of a part as a field of the item around it.

    Raises  BadConstraint for what a part does not have: a label, projects, dates of its own
    """
    if display.formula is not None and not place.repeats:
        return replace(display, formula=_moved(display.formula, place.path))
    name, *arguments = display.expression
    if name in ("element", "entry"):
        kind = "entry" if place.repeats else name
        path, *rest = arguments
        # Brackets: part, leaf and value of each; the part is inside this one.
        inside = [f"{place.path}/{one}" if n % 3 == 0 else one for n, one in enumerate(rest)]
        return replace(display, expression=(kind, f"{place.path}/{path}", *inside))
    raise BadConstraint(
        f"{part.xsi_type}/{display.id} is no element; of {place.owner.xsi_type}/{place.path} only elements "
        "can be asked"
    )


def _places(part: DataType, owner: DataType, types: DataTypes) -> list[Place]:
    return [
        Place(owner, node.path, node.kind == "multiple")
        for node in _parts(owner.nodes)
        if any(_is_kin(part, name, types) for name in (node.item_type, *node.item_types))
    ]


def _parts(nodes: Iterable[Node]) -> Iterator[Node]:
    """The single and repeated parts of a document, not those inside repeated ones."""
    for node in nodes:
        if node.kind in ("item", "multiple"):
            yield node
        if node.kind != "multiple":
            yield from _parts(node.children)


def _is_kin(part: DataType, name: str, types: DataTypes) -> bool:
    return name in types and (types.is_a(part.xsi_type, name) or types.is_a(name, part.xsi_type))


def _inherits(place: Place, other: Place, types: DataTypes) -> bool:
    return (
        place.path == other.path
        and place.owner is not other.owner
        and types.is_a(place.owner.xsi_type, other.owner.xsi_type)
    )


def _only(part: DataType, found: list[Place]) -> Place:
    """The one place that there is once, else the one that repeats."""
    chosen = [p for p in found if not p.repeats] or found
    if len(chosen) > 1:
        names = " or ".join(f"{p.owner.xsi_type}/{p.path}" for p in chosen[:6])
        raise BadConstraint(f"{part.xsi_type} may be {names}; name the field by that path")
    return chosen[0]


def _moved(formula: Formula, around: str) -> Formula:
    """The formula with its elements inside the part at `around`."""
    if isinstance(formula, Input):
        name, *rest = formula.expression
        if name != "element":
            raise BadConstraint(f"a field of {around} cannot be computed from {name}")
        return replace(formula, expression=(name, f"{around}/{rest[0]}", *rest[1:]))
    if isinstance(formula, Cast):
        return replace(formula, value=_moved(formula.value, around))
    if isinstance(formula, Call):
        return replace(formula, arguments=tuple(_moved(one, around) for one in formula.arguments))
    if isinstance(formula, Case):
        branches = tuple((_moved(c, around), _moved(v, around)) for c, v in formula.branches)
        return replace(formula, branches=branches, otherwise=_moved(formula.otherwise, around))
    return formula
