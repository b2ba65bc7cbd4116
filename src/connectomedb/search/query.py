"""The question as a value: what is asked, of which type, under which conditions.

It knows nothing of SQL, HTTP or XML. Names are as the asker wrote them; `search.resolve` gives
them their meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connectomedb.errors import BadConstraint

Method = Literal["AND", "OR"]
SortOrder = Literal["ASC", "DESC"]
# No spelling of a question goes deeper; everything that walks through one relies on it.
MOST_DEPTH = 64


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field by name: the data type and a display id, `ID=value`, element path or dictionary column.

    `name` is what stands after the type: `NEO_NEOFAC_A`, `NEO/NEOFAC_A`, `NEOFAC_A`,
    `SUB_PROJECT_IDENTIFIER=HCP_Q1`.
    """

    element_name: str
    name: str

    def __str__(self) -> str:
        return f"{self.element_name}/{self.name}"


@dataclass(frozen=True, slots=True)
class SearchField:
    """One column of the answer; `header` overrides the title, `value` is a valued field's value.

    `type` is what a document says of it; no answer depends on it.
    """

    ref: FieldRef
    header: str = ""
    value: str = ""
    visible: bool = True
    type: str = "string"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One condition. `comparison_type` is spelled as in `search.operators` (upper case).

    `override_value_formatting` says that the value is a number or NULL, to be taken as such.
    """

    ref: FieldRef
    comparison_type: str
    value: str = ""
    override_value_formatting: bool = False


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """Conditions under one method; an empty set is true. `depth` is how many sets are in one another below.

    Raises  BadConstraint when it would be deeper than 64 levels
    """

    method: Method = "AND"
    members: tuple[Criterion | CriteriaSet, ...] = ()
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        depth = max((m.depth + 1 for m in self.members if isinstance(m, CriteriaSet)), default=0)
        if depth > MOST_DEPTH:
            raise BadConstraint(f"conditions are nested deeper than {MOST_DEPTH} levels; flatten them")
        object.__setattr__(self, "depth", depth)  # the class is frozen

    def __bool__(self) -> bool:
        return any(bool(m) if isinstance(m, CriteriaSet) else True for m in self.members)


@dataclass(frozen=True, slots=True)
class SortBy:
    """The order of rows; without it the first column's own. Without `order`, as the field has it."""

    ref: FieldRef
    order: SortOrder | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """Rows of `root` that meet `where`, with `fields` as columns in that order.

    What follows `description` concerns the question as a saved one: the project that it belongs to, whether
    only those named may use it, and who they are.
    """

    root: str
    fields: tuple[SearchField, ...] = ()
    where: CriteriaSet = CriteriaSet()
    sort_by: SortBy | None = None
    search_id: str = ""
    brief_description: str = ""
    description: str = ""
    tag: str = ""
    secure: bool = True
    allow_diff_columns: bool = False
    layered_sequence: str = ""
    allowed_users: tuple[str, ...] = ()
    allowed_groups: tuple[str, ...] = ()

    def bare(self) -> SearchQuery:
        """What is asked, without the words about it: equal for all that have the same answer."""
        return SearchQuery(self.root, self.fields, self.where, self.sort_by)
