"""One transaction of an import: batches go in, and each item that cannot is named, whatever its batch holds.

A batch is tried whole. One that fails is halved until the items that are to blame stand alone, so that a good
batch costs what `ItemWriter` costs, and a bad item a few statements more. An update lays documents over those
that are there, by the rules of `Changing.merge_item`; whoever imports answers for the documents.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, or_, select
from sqlalchemy.exc import DataError, IntegrityError, OperationalError

from connectomedb.errors import (
    ConfigurationError,
    Conflict,
    ConnectomeDBError,
    DocumentError,
    LabelTaken,
    NoSuchExperiment,
    NoSuchProject,
    NoSuchSubject,
    NotFound,
)
from connectomedb.schema.model import Item
from connectomedb.store import facts
from connectomedb.store import tables as t
from connectomedb.store.changes import Changing
from connectomedb.store.engine import causes_of, writing
from connectomedb.store.projects import existing_project
from connectomedb.store.report import Refusal
from connectomedb.store.writer import Imported, ItemWriter
from connectomedb.vocabulary.records import Principal

BATCH = 500
# What makes an item impossible; anything else is no item's fault and ends the import.
_REASONS = (ConfigurationError, Conflict, DocumentError, NotFound, DataError, OverflowError)
# What a document calls what it is about: its family, the project of a label ('' for an id), id or label.
Name = tuple[str, str, str]
# SQLite's codes for a lock that another writer holds.
_LOCKED = (5, 6)


@dataclass(frozen=True, slots=True)
class Sourced:
    """An item and where it was read; `stated` is the item with what another site states beside it."""

    item: Item
    file: str
    line: int | None = None
    stated: Imported | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that is not stored, and why."""

    sourced: Sourced
    refusal: Refusal
    problem: Exception

    @property
    def waits(self) -> bool:
        """What the item belongs to is not there, or not there yet."""
        return isinstance(self.problem, NoSuchSubject | NoSuchExperiment)


class Loading:
    """Writes into one transaction; `cancel` at any time, and nothing of it happens."""

    def __init__(
        self,
        connection: Connection,
        layout: t.Layout,
        *,
        user: str,
        project: str,
        site_id: str,
        update: bool = False,
    ) -> None:
        self.connection = connection
        self._layout = layout
        self._user = user
        self._project = project
        self._site_id = site_id
        self._update = update
        self.ids: list[str] = []
        self.n_updated = 0
        self.cancelled = False

    def add(self, batch: Sequence[Sourced]) -> list[Failed]:
        """Store what can be stored of a batch; the rest is answered."""
        if not batch:
            return []
        try:
            with self.connection.begin_nested():
                if self._update:
                    ids, n_updated = self._lay_over(batch)
                else:
                    ids, n_updated = self._store(batch), 0
        except _REASONS as problem:
            if len(batch) == 1:
                return [_failed(batch[0], problem, self._project)]
            middle = len(batch) // 2
            return [*self.add(batch[:middle]), *self.add(batch[middle:])]
        self.ids += ids
        self.n_updated += n_updated
        return []

    def _store(self, batch: Sequence[Sourced]) -> list[str]:
        # A fresh one each time: a writer remembers subjects that were taken back since.
        writer = ItemWriter(
            self.connection, self._layout, user=self._user, project=self._project, site_id=self._site_id
        )
        given = [one.stated or one.item for one in batch]
        writer.store(facts.with_free_numbers(self.connection, given))
        return writer.ids

    def _lay_over(self, batch: Sequence[Sourced]) -> tuple[list[str], int]:
        """In their order: new documents are stored, others laid over what is there; how many those were."""
        names = [self._name(one.item) for one in batch]
        known = self._known({name for name in names if name})
        ids: list[str] = []
        n_updated = 0
        fresh: list[Sourced] = []
        pending: set[Name] = set()

        def store_fresh() -> None:
            ids.extend(stored := self._store(fresh) if fresh else [])
            for one, item_id in zip(fresh, stored, strict=True):
                # What follows may call it by its id, too.
                for name in (self._name(one.item), (self._family(one.item), "", item_id)):
                    if name:
                        known[name] = item_id
            fresh.clear()
            pending.clear()

        for one, name in zip(batch, names, strict=True):
            if name in known or name in pending:
                store_fresh()
            if name in known:
                self._merge(known[name], one)
                ids.append(known[name])
                n_updated += 1
            else:
                fresh.append(one)
                pending |= {name} if name else set()
        store_fresh()
        return ids, n_updated

    def _merge(self, item_id: str, one: Sourced) -> None:
        who, reason = Principal(self._user, is_admin=True), f"import of {one.file}"
        changing = Changing(self.connection, self._layout, who, site_id=self._site_id, reason=reason)
        changing.merge_item(item_id, one.item)
        if one.stated is not None:
            facts.keep(self.connection, item_id, one.stated)

    def _family(self, item: Item) -> str:
        return self._layout.family(item.xsi_type) or ""

    def _name(self, item: Item) -> Name | None:
        """What a document calls what it is about; None when it gives it no name."""
        family, project = self._family(item), (item.text("project") or self._project).lower()
        if family == "project":
            return family, "", (item.text("ID") or self._project).lower()
        if item.text("ID"):
            return family, "", item.text("ID")
        return (family, project, item.text("label")) if item.text("label") else None

    def _known(self, names: set[Name]) -> dict[Name | None, str]:
        """Ids of what is there, by the names that documents call it. Cost: three statements."""
        i, m, p = t.item.c, t.membership.c, t.project.c
        found: dict[Name | None, str] = {}
        by_id = [text for family, project, text in names if not project and family != "project"]
        rows = self.connection.execute(select(i.family, i.id).where(i.id.in_(by_id), i.family.in_(t.ROOTS)))
        found |= {(row.family, "", row.id): row.id for row in rows}
        folded = {project or text for family, project, text in names if project or family == "project"}
        rows = self.connection.execute(select(p.id, p.folded_id).where(p.folded_id.in_(folded)))
        projects = {row.id: row.folded_id for row in rows}
        found |= {("project", "", low): project for project, low in projects.items()}
        labels = {text for _, project, text in names if project}
        members = (
            select(m.family, m.project, m.label, i.id)
            .join_from(t.membership, t.item, i.pk == m.item_pk)
            .where(m.project.in_(projects), m.label.in_(labels), m.family != "project")
        )
        found |= {(f, projects[p], label): item for f, p, label, item in self.connection.execute(members)}
        return {name: item_id for name, item_id in found.items() if name in names}

    def is_project(self, sourced: Sourced) -> bool:
        """The document is a project's."""
        return self._layout.family(sourced.item.xsi_type) == "project"

    def ensure_project(self, project: str) -> None:
        """Make the project unless it is there."""
        try:
            existing_project(self.connection, project)
        except NoSuchProject:
            for failed in self.add([Sourced(Item(t.PROJECT, {"ID": project}), project)]):
                if not isinstance(failed.problem, Conflict):
                    raise failed.problem from None
                return  # another import made it at the same time
            self.ids.pop()  # the project is no row or document of what is imported

    def known_subjects(self, project: str, names: Sequence[str]) -> set[str]:
        """Those of the names that are an id or a label of a subject in the project."""
        i, m = t.item.c, t.membership.c
        rows = self.connection.execute(
            select(i.id, m.label)
            .join_from(t.item, t.membership, m.item_pk == i.pk)
            .where(m.project == project, m.family == "subject", or_(i.id.in_(names), m.label.in_(names)))
        )
        return {name for row in rows for name in row}.intersection(names)

    def cancel(self) -> None:
        """Nothing of this transaction is to stay."""
        self.cancelled = True


@contextmanager
def loading(
    engine: Engine, layout: t.Layout, *, user: str, project: str, site_id: str, update: bool = False
) -> Iterator[Loading]:
    """A transaction for an import: durable at the end, unless it was cancelled or something went wrong.

    Raises   DiskFull when the database has no room; Conflict when another writer does not end
    """
    try:
        with writing(engine) as connection:
            load = Loading(connection, layout, user=user, project=project, site_id=site_id, update=update)
            yield load
            transaction = connection.get_transaction()
            if load.cancelled and transaction is not None:
                transaction.rollback()
    except OperationalError as problem:
        if any(getattr(cause, "sqlite_errorcode", 0) & 0xFF in _LOCKED for cause in causes_of(problem)):
            raise Conflict(
                "another import or a long change holds the database; wait until it is done, start again"
            ) from problem
        raise


def _failed(one: Sourced, problem: Exception, project: str) -> Failed:
    item = one.item
    owner = item.text("project") or project
    column, reason = "", " ".join(str(problem).split())
    if isinstance(problem, LabelTaken):
        column, reason = "label", f"is the label of another item in {owner}, or in a project that shares it"
    elif isinstance(problem, Conflict) and isinstance(problem.__cause__, IntegrityError):
        column, reason = "ID", "is in use already"
    elif isinstance(problem, NoSuchProject):
        reason = f"{reason}; make it first"  # its own project, or one that it is shared into
    elif isinstance(problem, NoSuchSubject):
        column, reason = "subject_ID", f"is no subject of {owner}"
    elif isinstance(problem, DataError | OverflowError):
        reason = f"a value does not fit its column: {reason}"
    value = item.text(column) if column else ""
    if not isinstance(problem, ConnectomeDBError) or not value:
        reason = f"{item.text('label') or item.text('ID') or item.xsi_type}: {reason}"
    return Failed(one, Refusal(one.file, reason, one.line, column, value), problem)
