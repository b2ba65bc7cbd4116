"""What a batch of documents needs before its first row is made: numbers, fresh ids, and what its names mean.

Everything is counted first, then drawn and looked up together: a handful of statements, whatever the batch
holds and whoever brought its parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, select, union_all, update

from connectomedb.errors import NoSuchProject
from connectomedb.store import tables as t
from connectomedb.store.statements import Statement, ask

_BATCH = 500
# The counter and the letter of the fresh ids of a family.
COUNTERS: Mapping[str, tuple[str, str]] = {"subject": ("subject", "S"), "experiment": ("experiment", "E")}
# Always in this order: who needs several waits for nobody who has one of them and needs another.
_ORDER = ("pk", "resource", *COUNTERS)

_TAKE = Statement(
    lambda _: (
        update(t.counter)
        .where(t.counter.c.name == bindparam("counter", type_=t.string))
        .values(value=t.counter.c.value + bindparam("n", type_=t.counter.c.value.type))
        .returning(t.counter.c.value)
    )
)
_PROJECTS = Statement(
    lambda one_of: select(t.project.c.folded_id, t.project.c.id).where(one_of(t.project.c.folded_id, "names"))
)
_TAKEN = Statement(
    lambda one_of: union_all(
        select(t.item.c.id).where(one_of(t.item.c.id, "ids")),
        select(t.tombstone.c.id).where(one_of(t.tombstone.c.id, "ids")),
    )
)


def _named(called: Any) -> Any:
    """A statement for the items of one project that have these ids, or these labels there."""
    m, i = t.membership.c, t.item.c
    return lambda one_of: (
        select(called, i.pk, i.id, i.label, i.project, i.subject_pk, i.projects_text)
        .join_from(t.item, t.membership, m.item_pk == i.pk)
        .where(
            m.project == bindparam("project", type_=t.string),
            m.family == bindparam("family", type_=t.string),
            one_of(called, "texts"),
        )
    )


_BY_LABEL = Statement(_named(t.membership.c.label.label("called")))
_BY_ID = Statement(_named(t.item.c.id.label("called")))


@dataclass(frozen=True, slots=True)
class Holder:
    """What is around an item: the facts that its parts take over."""

    pk: int
    id: str
    label: str
    project: str
    subject_pk: int | None
    root_pk: int
    projects_text: str
    spot: str = ""


@dataclass(slots=True)
class Needs:
    """How many numbers of each counter, and which projects, a batch needs."""

    numbers: Counter[str] = field(default_factory=Counter)
    projects: set[str] = field(default_factory=set)


def take(connection: Connection, counter: str, n: int = 1) -> int:
    """The first of `n` fresh numbers of a counter."""
    return _first(counter, n, _TAKE.run(connection, counter=counter, n=n))


class Supply:
    """Numbers and names within one transaction that the caller holds; what it found is remembered."""

    def __init__(self, connection: Connection, site_id: str) -> None:
        self._connection = connection
        self._site_id = site_id
        self._numbers: dict[str, Iterator[int]] = {}
        self._fresh: dict[str, Iterator[str]] = {}
        self._projects: dict[str, str] = {}
        # Subjects and sessions by (family, project, id or label).
        self._known: dict[tuple[str, str, str], Holder] = {}
        # Fresh ids of this transaction: they were looked up when they were drawn.
        self.drawn: set[str] = set()

    def draw(self, needs: Needs) -> None:
        """Take the numbers and ids, and look the projects up; those that are not there are known as such.

        Cost  two round trips
        """
        counted = [(name, needs.numbers[name]) for name in _ORDER if needs.numbers[name]]
        folded = {text.lower() for text in needs.projects} - self._projects.keys()
        questions = [(_TAKE, {"counter": name, "n": n}) for name, n in counted]
        if folded:
            questions.append((_PROJECTS, {"names": sorted(folded)}))
        answers = ask(self._connection, questions)
        if folded:
            self._projects |= dict.fromkeys(folded, "") | dict(answers.pop())
        for (name, n), rows in zip(counted, answers, strict=True):
            first = _first(name, n, rows)
            if name in COUNTERS:
                self._fresh[name] = iter(self._fresh_ids(name, first, n))
            else:
                self._numbers[name] = iter(range(first, first + n))

    def number(self, counter: str) -> int:
        """The next of the numbers that were drawn."""
        return next(self._numbers[counter])

    def fresh_id(self, family: str) -> str:
        """The next of the ids that were drawn."""
        return next(self._fresh[family])

    def _fresh_ids(self, family: str, first: int, n: int) -> list[str]:
        counter, letter = COUNTERS[family]
        found: list[str] = []
        while True:
            count = n - len(found)
            drawn = [f"{self._site_id}_{letter}{first + k:05d}" for k in range(count)]
            # Imported ids are kept, so a fresh one may be taken.
            taken = {row[0] for row in _TAKEN.run(self._connection, ids=drawn)}
            found += [one for one in drawn if one not in taken]
            if len(found) == n:
                self.drawn.update(found)
                return found
            first = take(self._connection, counter, n - len(found))

    # Names

    def project(self, text: str) -> str:
        """The project's id as it is spelled there; capitals do not matter. Raises NoSuchProject."""
        if text.lower() not in self._projects:
            self.draw(Needs(projects={text}))
        found = self._projects[text.lower()]
        if not found:
            raise NoSuchProject(f"no project {text!r}")
        return found

    def add_project(self, project: str) -> None:
        """A project that this transaction makes."""
        self._projects[project.lower()] = project

    def look_up(self, family: str, project: str, texts: Iterable[str]) -> None:
        """Learn which subjects or experiments a project has by these ids or labels."""
        wanted = [one for one in texts if (family, project, one) not in self._known]
        for start in range(0, len(wanted), _BATCH):
            values = {"family": family, "project": project, "texts": wanted[start : start + _BATCH]}
            # What is called so by its id wins.
            for rows in ask(self._connection, [(_BY_LABEL, values), (_BY_ID, values)]):
                for called, pk, item_id, label, owner, subject_pk, text in rows:
                    subject_pk = pk if family == "subject" else subject_pk
                    self.add(family, project, called, Holder(pk, item_id, label, owner, subject_pk, pk, text))

    def add(self, family: str, project: str, called: str, holder: Holder) -> None:
        """What a name means in a project."""
        self._known[(family, project, called)] = holder

    def known(self, family: str, project: str, called: str) -> Holder | None:
        """What was looked up, or added, by this name."""
        return self._known.get((family, project, called))


def _first(counter: str, n: int, rows: Sequence[tuple[Any, ...]]) -> int:
    assert rows, f"no counter {counter}"
    last: int = rows[0][0]
    return last - n + 1
