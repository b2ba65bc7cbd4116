"""One transaction of an import: batches go in, and each item that cannot is named, whatever its batch holds.

A batch is tried whole. One that fails is halved until the items that are to blame stand alone, so that a good
batch costs what `ItemWriter` costs, and a bad item a few statements more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, or_, select
from sqlalchemy.exc import DataError, OperationalError

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
from connectomedb.store import tables as t
from connectomedb.store.engine import causes_of, writing
from connectomedb.store.projects import existing_project
from connectomedb.store.report import Refusal
from connectomedb.store.writer import ItemWriter

BATCH = 500
# What makes an item impossible; anything else is no item's fault and ends the import.
_REASONS = (ConfigurationError, Conflict, DocumentError, NotFound, DataError, OverflowError)
# SQLite's codes for a lock that another writer holds.
_LOCKED = (5, 6)


@dataclass(frozen=True, slots=True)
class Sourced:
    """An item and where it was read."""

    item: Item
    file: str
    line: int | None = None


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
        self, connection: Connection, layout: t.Layout, *, user: str, project: str, site_id: str
    ) -> None:
        self.connection = connection
        self._layout = layout
        self._user = user
        self._project = project
        self._site_id = site_id
        self.ids: list[str] = []
        self.cancelled = False

    def add(self, batch: Sequence[Sourced]) -> list[Failed]:
        """Store what can be stored of a batch; the rest is answered."""
        if not batch:
            return []
        try:
            with self.connection.begin_nested():
                # A fresh one each time: a writer remembers subjects that were taken back since.
                writer = ItemWriter(
                    self.connection,
                    self._layout,
                    user=self._user,
                    project=self._project,
                    site_id=self._site_id,
                )
                writer.store(one.item for one in batch)
        except _REASONS as problem:
            if len(batch) == 1:
                return [_failed(batch[0], problem, self._project)]
            middle = len(batch) // 2
            return [*self.add(batch[:middle]), *self.add(batch[middle:])]
        self.ids += writer.ids
        return []

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
def loading(engine: Engine, layout: t.Layout, *, user: str, project: str, site_id: str) -> Iterator[Loading]:
    """A transaction for an import: durable at the end, unless it was cancelled or something went wrong.

    Raises   DiskFull when the database has no room; Conflict when another writer does not end
    """
    try:
        with writing(engine) as connection:
            load = Loading(connection, layout, user=user, project=project, site_id=site_id)
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
    elif isinstance(problem, Conflict):
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
