"""What a search must answer, in plain Python over plain things: the law, written without any SQL.

It follows protocol/search-and-types 4 and shares no code with what it judges: no resolver, no compiler.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Literal

Method = Literal["AND", "OR"]


@dataclass(frozen=True)
class User:
    """Who asks: the projects in whose groups they are; (project, type) that their custom groups read."""

    login: str
    member_of: frozenset[str] = frozenset()
    reads: frozenset[tuple[str, str]] = frozenset()
    is_admin: bool = False


@dataclass(eq=False)
class Thing:
    """A subject, experiment or scan."""

    pk: int
    id: str
    xsi_type: str
    project: str
    label: str
    values: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shares: list[str] = field(default_factory=list)
    subject: Thing | None = None
    session: Thing | None = None
    scans: list[Thing] = field(default_factory=list)
    inserted: datetime = datetime(2020, 1, 1)
    status: str = "active"

    @property
    def root(self) -> Thing:
        """The thing whose projects count."""
        return self.session if self.session is not None and self.xsi_type in SCANS else self

    @property
    def projects(self) -> list[str]:
        root = self.root
        return [root.project, *root.shares]


@dataclass(frozen=True)
class World:
    """Everything there is."""

    things: tuple[Thing, ...]
    public: frozenset[str]
    bases: Mapping[str, str]  # a type and the one that it extends
    unsecured: frozenset[str] = frozenset()  # read by everybody who is logged in
    inaccessible: frozenset[str] = frozenset()  # seen by administrators only

    def is_a(self, xsi_type: str, base: str) -> bool:
        while xsi_type and xsi_type != base:
            xsi_type = self.bases.get(xsi_type, "")
        return bool(xsi_type)

    def reads(self, user: User, project: str, xsi_type: str) -> bool:
        """Things of this type that are in this project."""
        if user.is_admin or project in self.public or project in user.member_of:
            return True
        if (project, xsi_type) in user.reads:
            return True
        return user.login != "guest" and xsi_type in self.unsecured

    def sees(self, user: User, thing: Thing) -> bool:
        if thing.status in ("deleted", "obsolete"):
            return False
        if not user.is_admin and {thing.xsi_type, thing.root.xsi_type} & self.inaccessible:
            return False
        return any(self.reads(user, project, thing.root.xsi_type) for project in thing.projects)


SUBJECT, EXPERIMENT, SESSION = "xnat:subjectData", "xnat:experimentData", "xnat:imageSessionData"
SCANS = frozenset({"xnat:mrScanData", "xnat:otherDicomScanData"})
IN_SESSION = ("xnat:imageScanData", "xnat:imageAssessorData")


@dataclass(frozen=True)
class Field:
    """A name that questions use: `get` gives its value on a thing, a list for a repeated part."""

    xsi_type: str
    name: str
    kind: str
    get: Callable[[Thing], Any] = field(repr=False, compare=False)
    by_path: bool = False
    repeated: bool = False


@dataclass(frozen=True)
class Condition:
    """`operands` are the typed values that `text` spells; none for operators without a value."""

    field: Field
    operator: str
    text: str = ""
    operands: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Group:
    method: Method
    members: tuple[Condition | Group, ...]


@dataclass(frozen=True)
class Question:
    root: str
    columns: tuple[Field, ...]
    where: Group
    order: Field
    descending: bool


def rows_of(world: World, question: Question, user: User) -> list[Thing]:
    """The things that the question is about, in order."""
    found = [
        thing
        for thing in world.things
        if world.is_a(thing.xsi_type, question.root)
        and world.sees(user, thing)
        and meets(world, question, user, thing)
    ]
    found.sort(key=lambda thing: thing.pk)
    shown = {thing: cell(world, question.root, question.order, user, thing) for thing in found}
    empty = [thing for thing in found if shown[thing] is None]
    full = [thing for thing in found if shown[thing] is not None]
    full.sort(key=lambda thing: shown[thing], reverse=question.descending)
    if question.descending:
        # Sorting backwards keeps equal ones in order: a stable sort does.
        return [*empty, *full]
    return [*full, *empty]


def answer(world: World, question: Question, user: User) -> list[tuple[Any, ...]]:
    """The cells, the status last."""
    return [
        (*(cell(world, question.root, column, user, thing) for column in question.columns), thing.status)
        for thing in rows_of(world, question, user)
    ]


# Other types


def lineage(world: World, root: str, other: str) -> bool:
    return world.is_a(root, other) or world.is_a(other, root)


def beside(world: World, root: str, other: str, user: User, thing: Thing) -> tuple[bool, list[Thing]]:
    """The things of another type that stand beside one of the root type, and whether there is one at most."""

    def in_session(xsi_type: str) -> bool:
        return any(world.is_a(xsi_type, base) for base in IN_SESSION)

    if lineage(world, root, other):
        return True, [thing] if world.is_a(thing.xsi_type, other) else []
    if other == SUBJECT:
        return True, [] if thing.subject is None else [thing.subject]
    if in_session(root) and world.is_a(other, SESSION):
        session = thing.session
        return True, [session] if session is not None and world.is_a(session.xsi_type, other) else []
    others = [one for one in world.things if world.is_a(one.xsi_type, other) and world.sees(user, one)]
    if in_session(other) and (in_session(root) or world.is_a(root, SESSION)):
        session = thing if world.is_a(root, SESSION) else thing.session
        return False, [one for one in others if one.session is session and session is not None]
    subject = thing if root == SUBJECT else thing.subject
    return False, [one for one in others if one.subject is subject and subject is not None]


def chosen(world: World, root: str, other: str, things: list[Thing]) -> Thing | None:
    """The one of many that a column shows."""
    if not things:
        return None
    if not world.is_a(other, EXPERIMENT):
        return max(things, key=lambda one: (one.inserted, one.pk))
    undated_first = not world.is_a(root, EXPERIMENT)

    def rank(one: Thing) -> tuple[int, date, int]:
        day = one.values.get("date")
        if day is None:
            return (1 if undated_first else -1, date.min, one.pk)
        return (0, day, one.pk)

    return max(things, key=rank)


def cell(world: World, root: str, column: Field, user: User, thing: Thing) -> Any:
    single, things = beside(world, root, column.xsi_type, user, thing)
    one = (things[0] if things else None) if single else chosen(world, root, column.xsi_type, things)
    return None if one is None else column.get(one)


# Conditions


def meets(world: World, question: Question, user: User, thing: Thing) -> bool:
    """The whole condition holds for some combination of the things beside this one."""
    options: dict[str, list[Thing | None]] = {}
    for condition in conditions(question.where):
        other = condition.field.xsi_type
        if other not in options:
            found = beside(world, question.root, other, user, thing)[1]
            options[other] = [*found] or [None]
    names = list(options)
    for combination in itertools.product(*options.values()):
        if holds_of(world, question.where, user, dict(zip(names, combination, strict=True))):
            return True
    return False


def conditions(group: Group) -> Iterator[Condition]:
    for member in group.members:
        if isinstance(member, Group):
            yield from conditions(member)
        else:
            yield member


def holds_of(world: World, group: Group, user: User, judged: Mapping[str, Thing | None]) -> bool:
    pattern = in_project(group)
    if pattern is not None:
        xsi_type, project = pattern
        thing = judged[xsi_type]
        return (
            thing is not None
            and project in thing.projects
            and world.reads(user, project, thing.root.xsi_type)
        )
    parts = (
        holds_of(world, member, user, judged)
        if isinstance(member, Group)
        else holds(member, judged[member.field.xsi_type])
        for member in group.members
    )
    return (all(parts) if group.method == "AND" else any(parts)) if group.members else True


def in_project(group: Group) -> tuple[str, str] | None:
    """The type and project of 'owned by P or shared into P'."""
    found = [m for m in group.members if isinstance(m, Condition) and m.operator == "=" and m.operands]
    if group.method != "OR" or len(group.members) != 2 or len(found) != 2:
        return None
    names = {m.field.name for m in found}
    types, projects = {m.field.xsi_type for m in found}, {m.operands for m in found}
    if names != {"project", "sharing/share/project"} or len(types) != 1 or len(projects) != 1:
        return None
    return found[0].field.xsi_type, found[0].operands[0]


def holds(condition: Condition, thing: Thing | None) -> bool:
    if thing is None:
        return of_value(condition, None)
    if not condition.field.repeated:
        return of_value(condition, condition.field.get(thing))
    values = condition.field.get(thing)
    if asks_for_none(condition):
        return all(value is None for value in values)
    return any(of_value(condition, value) for value in values)


def asks_for_none(condition: Condition) -> bool:
    return condition.operator == "IS NULL" or (condition.operator == "=" and condition.text == "")


def of_value(condition: Condition, value: Any) -> bool:
    """The table of operators."""
    operator, operands = condition.operator, condition.operands
    if asks_for_none(condition):
        return value is None
    if operator == "IS NOT NULL" or (operator == "!=" and condition.text == ""):
        return value is not None
    if condition.text == "*" and not condition.field.by_path and operator not in ("LIKE", "NOT LIKE", "!="):
        return value is not None
    if operator == "IS DISTINCT FROM":
        return value is None or value != operands[0]
    if value is None:
        return operator == "!=" and not condition.field.by_path
    match operator:
        case "=" | "IS NOT DISTINCT FROM":
            return bool(value == operands[0])
        case "!=":
            return bool(value != operands[0])
        case "<":
            return bool(value < operands[0])
        case "<=":
            return bool(value <= operands[0])
        case ">":
            return bool(value > operands[0])
        case ">=":
            return bool(value >= operands[0])
        case "IN":
            return value in operands
        case "NOT IN":
            return value not in operands
        case "BETWEEN":
            return bool(operands[0] <= value <= operands[1])
        case "LIKE":
            return matches(condition.text, printed(value))
        case "NOT LIKE":
            return not matches(condition.text, printed(value))
    raise AssertionError(f"no law for {operator}")


def matches(pattern: str, text: str) -> bool:
    """`%` any run, `_` one character, `\\` escapes, both ends fixed, capitals aside."""
    expression, rest = "", iter(pattern)
    for character in rest:
        if character == "\\":
            expression += re.escape(folded(next(rest)))
        elif character == "%":
            expression += ".*"
        else:
            expression += "." if character == "_" else re.escape(folded(character))
    return re.fullmatch(expression, folded(text), re.DOTALL) is not None


def folded(text: str) -> str:
    return "".join(character.lower()[0] for character in text)


def printed(value: Any) -> str:
    """The value as a table shows it; a time without the zeros of its fraction."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        fraction = f"{value.microsecond:06d}".rstrip("0") or "0"
        return f"{value:%Y-%m-%d %H:%M:%S}.{fraction}"
    if isinstance(value, time):
        fraction = f"{value.microsecond:06d}".rstrip("0")
        return f"{value:%H:%M:%S}" + (f".{fraction}" if fraction else "")
    if isinstance(value, float):
        digits, exponent, power = repr(value).partition("e")
        return f"{digits}.0e{power}" if exponent and "." not in digits else repr(value)
    return str(value)


# Facets


def value_counts(values: Iterable[Any]) -> dict[Any, int]:
    """How often each value stands there; None for no value."""
    counts: dict[Any, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return counts


def histogram(values: Iterable[Any], edges: list[float]) -> list[int]:
    """How many values are in each bin, the last one closed; what lies outside is in none."""
    counts = [0] * (len(edges) - 1)
    for value in values:
        if value is None or math.isnan(value) or not edges[0] <= value <= edges[-1]:
            continue
        place = next(n for n in range(len(counts)) if value < edges[n + 1] or n == len(counts) - 1)
        counts[place] += 1
    return counts
