"""The archive of one site: everything that the server asks of the database, in one place.

A facade: each method opens a connection, lets one module do the work, and closes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar, Unpack, cast

from sqlalchemy import Connection, Engine, func, insert, select, update

from connectomedb.errors import AccessDenied
from connectomedb.schema.model import Item
from connectomedb.schema.registry import DataTypes
from connectomedb.search import explain as sentences
from connectomedb.search.links import link_columns
from connectomedb.search.placeholders import fill_user
from connectomedb.search.query import CriteriaSet, SearchQuery
from connectomedb.search.resolve import ResolvedQuery, resolve, resolve_where
from connectomedb.store import (
    bulk,
    deletion,
    doctor,
    edits,
    execute,
    experiments,
    files,
    growth,
    holders,
    items,
    listings,
    migrations,
    offers,
    parts,
    project_facts,
    projects,
    registration,
    resource_files,
    resources,
    sharing,
    subject_files,
    subjects,
    tiers,
)
from connectomedb.store import tables as t
from connectomedb.store.accounts import Account, Accounts
from connectomedb.store.bulk import BulkRow
from connectomedb.store.changes import Changing
from connectomedb.store.compile import compile_search
from connectomedb.store.configuration import Configurations
from connectomedb.store.constants import Lifted, lift
from connectomedb.store.copies import Copies
from connectomedb.store.deletion import Deleted, Tombstone
from connectomedb.store.doctor import Problem
from connectomedb.store.edits import Edit
from connectomedb.store.engine import data_version, dialect_of, one_at_a_time, writing
from connectomedb.store.executors import CopyExecutor, Executor, Plan, SqlExecutor, first_plan
from connectomedb.store.export import ExportReport, Format, export_project
from connectomedb.store.facets import Facet, find_facet
from connectomedb.store.group_commit import GroupCommit, Work
from connectomedb.store.history import Change, read_history
from connectomedb.store.holders import ResourceHolder
from connectomedb.store.ingest.loading import Loading, loading
from connectomedb.store.investigator_list import Investigators
from connectomedb.store.investigators import INVESTIGATOR, rows_of, seen
from connectomedb.store.loader import Contents
from connectomedb.store.people import People
from connectomedb.store.registration import ElementSecurity
from connectomedb.store.report import IngestReport
from connectomedb.store.resource_files import Entered, Expected, HeldFile, NewFile
from connectomedb.store.resources import ResourceFacts, ResourceRecord
from connectomedb.store.results import KeptResults
from connectomedb.store.rights import Right, has_right
from connectomedb.store.searches import SavedSearches
from connectomedb.store.sessions import LoginSession, LoginSessions
from connectomedb.store.standing import standing
from connectomedb.store.subject_files import MirrorFile
from connectomedb.store.tiers import HeldTier
from connectomedb.store.visibility import visible, visible_file, visible_project, visible_with_root
from connectomedb.store.writer import Imported, ItemWriter, Order, store_orders
from connectomedb.tables.result import ResultStream, ResultTable
from connectomedb.vocabulary.records import Accessibility, FileRow, Group, Located, Membership, Principal
from connectomedb.vocabulary.resource_paths import ItemAddress

__all__ = ["Archive", "IngestReport"]

DEFAULT_SITE_ID = "ConnectomeDB"
# Documents of one call that are stored together with those of others; more are an import.
_MOST_GROUPED = 20

T = TypeVar("T")


class Archive:
    """Projects, subjects, experiments, files, accounts and logins of one site.

    Safe to use from several threads: each call takes a connection of its own from the pool.
    """

    def __init__(self, engine: Engine, types: DataTypes) -> None:
        self.engine = engine
        self._layout = t.Layout(types)
        self._dialect = dialect_of(engine)
        self._kept = execute.Kept()
        self._known_site_id = ""
        self._executors = self._make_executors()
        self._searchable = registration.Searchable(engine)
        self._accounts = Accounts(engine)
        self._sessions = LoginSessions(engine)
        self._group = GroupCommit(engine)
        self.people = People(engine, self._accounts, self._sessions)
        self.results = KeptResults(engine, lambda connection, who: standing(connection, self.types, who))
        self.searches = SavedSearches(engine)
        self.configurations = Configurations(engine)
        self.investigators = Investigators(engine)

    @property
    def layout(self) -> t.Layout:
        """The tables of the data types."""
        return self._layout

    @property
    def types(self) -> DataTypes:
        """The data types that the archive has tables for."""
        return self._layout.types

    def create(self) -> Archive:
        """Make the tables of a new site; those of an existing one are checked."""
        migrations.create(self.engine, self._layout)
        return self

    def open(self) -> Archive:
        """Bring the database to this version, and add what new types need.

        Raises  ConfigurationError when the database is none, or of a newer version, or when types have
                changed so that data would be lost
        """
        migrations.upgrade(self.engine, self._layout)
        return self

    def use_types(self, types: DataTypes) -> None:
        """Go on with these data types; tables and columns are added for what is new."""
        layout = t.Layout(types)
        growth.follow_types(self.engine, layout)
        self._layout = layout
        self._executors = self._make_executors()
        self._kept.clear()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    # Imports and exports (store.ingest, store.export)

    @contextmanager
    def loading(self, *, user: str, project: str, update: bool = False) -> Iterator[Loading]:
        """One transaction of an import; see `ingest.loading`."""
        site_id = self._site_id()
        with loading(
            self.engine, self._layout, user=user, project=project, site_id=site_id, update=update
        ) as load:
            yield load

    def export(
        self,
        project: str,
        folder: Path,
        kind: Format,
        who: Principal,
        *,
        synthetic: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> ExportReport:
        """Write what the user sees of a project into a new folder; see `export.export_project`."""
        return export_project(
            self.engine,
            self._layout,
            project,
            folder,
            kind,
            who,
            synthetic=synthetic,
            progress=progress,
        )

    # Questions

    def search(self, query: SearchQuery, who: Principal) -> ResultTable:
        """The rows that the user may see; columns as asked for, `quarantine_status` last.

        Raises  UnknownDataType, UnknownField, BadConstraint
        Cost    one statement
        """
        plan = self._plan(query, who)
        title = query.brief_description or query.description
        return ResultTable(plan.columns, plan.rows(), title, plan.root)

    def search_stream(self, query: SearchQuery, who: Principal) -> ResultStream:
        """The same rows in batches, while they are read; see `reading.Reading`.

        Shape   the columns of `search`, those that their links need before `quarantine_status`
        Raises  as `search`, before anything is read
        Memory  one batch
        """
        plan = self._plan(query, who, linked=True)
        reading = plan.batches()
        title = query.brief_description or query.description
        return ResultStream(plan.columns, reading, title, plan.root, stop=reading.stop)

    def data_version(self) -> str:
        """A text that is another one after every change of the data; see `engine.data_version`."""
        with self.engine.connect() as connection:
            return data_version(connection)

    def explain(self, query: SearchQuery, who: Principal) -> str:
        """The question as a sentence, and its SQL with the values that are bound."""
        resolved = resolve(fill_user(query, who.user_id), self.types)
        self._searchable.admit(resolved, who)
        with self.engine.connect() as connection:
            resolved = tiers.admit(connection, resolved, self.types, who)
        compiled = compile_search(resolved, who, self._layout, self._dialect)
        sql = compiled.statement.compile(dialect=self.engine.dialect)
        values = ", ".join(f"{name}={value!r}" for name, value in sql.params.items())
        return f"{sentences.explain(resolved)}\n{sql}\n-- {values}"

    def facet(self, query: SearchQuery, facet: Facet, who: Principal) -> ResultTable:
        """How a field is spread over the rows that the user may see; see `facets.find_facet`."""
        with self.engine.connect() as connection:
            asked = fill_user(query.bare(), who.user_id)
            return find_facet(connection, self._layout, self._dialect, asked, facet, who)

    def listing(
        self,
        level: listings.Level,
        who: Principal,
        *,
        project: str = "",
        subject: str = "",
        session: str = "",
        since: datetime | None = None,
        columns: Sequence[str] = (),
        xsi_types: Sequence[str] = (),
        filters: Mapping[str, str] | None = None,
    ) -> ResultTable:
        """One level of the hierarchy as a table, ordered by id; see `listings.list_level`."""
        with self.engine.connect() as connection:
            return listings.list_level(
                connection,
                self._layout,
                self._dialect,
                level,
                who,
                project=project,
                subject=subject,
                session=session,
                since=since,
                columns=columns,
                xsi_types=xsi_types,
                filters=filters,
            )

    def elements_used(self, who: Principal) -> dict[str, int]:
        """Number of items that the user sees, for each type of which there are any.

        Of investigators those are counted whom projects name: what else names some is too much to read.
        """
        i = t.item.c
        data = select(i.xsi_type, func.count()).where(i.family != "project", visible_with_root(t.item, who))
        owners = select(i.xsi_type, func.count()).where(i.family == "project", visible_project(t.item, who))
        held = select(func.count()).select_from(t.file).where(visible_file(t.file, who))
        with self.engine.connect() as connection:
            counts: dict[str, int] = dict(connection.execute(data.group_by(i.xsi_type)).all())
            counts |= dict(connection.execute(owners.group_by(i.xsi_type)).all())
            counts[t.FILE] = connection.scalar(held) or 0
            counts[INVESTIGATOR] = self._count_investigators(connection, who)
        return {name: n for name, n in counts.items() if n}

    def _count_investigators(self, connection: Connection, who: Principal) -> int:
        if INVESTIGATOR not in self.types:
            return 0
        people = rows_of(self._layout, "project")
        count = select(func.count()).select_from(people).where(seen(self._layout, people, who, "project"))
        return connection.scalar(count) or 0

    def custom_variables(self, xsi_type: str, who: Principal) -> list[str]:
        """Names of the custom variables that visible items of a type have; see `offers`."""
        with self.engine.connect() as connection:
            return offers.custom_variables(connection, self._layout, xsi_type, who)

    def read_project_ids(self, who: Principal) -> list[str]:
        """Ids of the projects whose data the user reads, in order."""
        with self.engine.connect() as connection:
            return offers.read_project_ids(connection, who)

    # What a project is beside its document

    def change_project_setting(self, project: str, name: str, value: int) -> None:
        """Give `quarantine_code` or `prearchive_code` a value; see `project_facts.change_setting`."""
        self._change(lambda connection: project_facts.change_setting(connection, project, name, value))

    def read_project_setting(self, project: str, name: str) -> int:
        """The value of a project's setting, its default where nobody changed it."""
        with self.engine.connect() as connection:
            return project_facts.read_setting(connection, project, name)

    def note_project_visit(self, project: str, who: Principal) -> None:
        """Remember that the user opened the project now; nothing is kept of guests."""
        if not who.is_guest:
            moment = projects.now()
            self._change(lambda c: project_facts.note_visit(c, project, who.user_id, moment))

    def keep_favorite(self, project: str, who: Principal) -> None:
        """Make a project one of the user's favourites."""
        self._change(lambda connection: project_facts.keep_favorite(connection, project, who.user_id))

    def drop_favorite(self, project: str, who: Principal) -> None:
        """The project is no favourite of the user any more."""
        self._change(lambda connection: project_facts.drop_favorite(connection, project, who.user_id))

    def count_members(self, who: Principal) -> dict[tuple[str, str], int]:
        """How many subjects and experiments each project shows to the user, by (project, family)."""
        with self.engine.connect() as connection:
            return projects.count_members(connection, who)

    def types_in_project(self, project: str, who: Principal) -> list[str]:
        """The types of the experiments that the user sees in a project, by name."""
        i, m = t.item.c, t.membership.c
        members = select(m.item_pk).where(m.project == project, m.family == "experiment")
        query = select(i.xsi_type).distinct().where(i.pk.in_(members), visible(t.item, who))
        with self.engine.connect() as connection:
            return sorted(connection.scalars(query).all())

    # Things by their names

    def locate_project(self, text: str, who: Principal) -> str:
        """Id of the project of that id (capitals aside) or alias. Raises NoSuchProject."""
        with self.engine.connect() as connection:
            return projects.locate_project(connection, self._layout, text, who)

    def locate_subject(self, text: str, who: Principal, project: str = "") -> Located:
        """The subject of that id, or of that label in the project. Raises NoSuchSubject."""
        with self.engine.connect() as connection:
            return subjects.locate_subject(connection, text, who, project=project)

    def locate_experiment(self, text: str, who: Principal, project: str = "", subject: str = "") -> Located:
        """The experiment of that id, or of that label in the project. Raises NoSuchExperiment."""
        with self.engine.connect() as connection:
            return experiments.locate_experiment(connection, text, who, project=project, subject=subject)

    def load_item(self, item_id: str, who: Principal, *, contents: Contents = "assessors") -> Item:
        """The document of a subject, an experiment or a part; `contents` says what stands in it.

        Raises  NotFound
        """
        with self.engine.connect() as connection:
            item = items.load_item(connection, self._layout, item_id, who, contents=contents)
            return tiers.without_closed(connection, self.types, item, who)

    def load_project_item(self, project_id: str, who: Principal) -> Item:
        """The document of a project. Raises NoSuchProject."""
        with self.engine.connect() as connection:
            item = items.load_project(connection, self._layout, project_id, who)
            return tiers.without_closed(connection, self.types, item, who)

    # Changes

    def add_project(
        self,
        project_id: str,
        *,
        name: str = "",
        description: str = "",
        accessibility: Accessibility = "private",
        insert_user: str,
    ) -> None:
        """A new project; its name defaults to its id. Raises Conflict when the id is taken."""
        projects.check_project(project_id, accessibility)
        said = {"ID": project_id, "name": name or project_id, "description": description}
        document = Item(t.PROJECT, {path: text for path, text in said.items() if text})
        self.store_items([Imported(document, accessibility=accessibility)], user=insert_user)

    def store_items(
        self, documents: Iterable[Item | Imported], *, user: str, project: str = ""
    ) -> IngestReport:
        """Store documents: all of them durably, or none.

        `project` owns those that name no project. Ids are kept where given, else made.

        Raises  NotValid with every reason; LabelTaken, Conflict, NoSuchProject, NoSuchSubject
        """
        return self._store(documents, user, project, None)

    def load_rows(
        self,
        xsi_type: str,
        paths: Sequence[str],
        rows: Iterable[BulkRow],
        *,
        user: str,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """Store many rows of one data type in one transaction; see `bulk.load_rows`."""
        site_id = self._site_id()
        with writing(self.engine) as connection:
            return bulk.load_rows(
                connection, self._layout, xsi_type, paths, rows, user=user, site_id=site_id, progress=progress
            )

    def add_items(
        self, documents: Iterable[Item | Imported], who: Principal, *, project: str = ""
    ) -> IngestReport:
        """Store documents on a user's behalf: all of them durably, or none.

        Raises  as `store_items`; AccessDenied where the user is neither owner nor member, or states ids of
                another site without being an administrator
        """
        given = list(documents)
        if not who.is_admin and any(isinstance(one, Imported) for one in given):
            raise AccessDenied("dates, users and numbers of another site are for administrators to give")
        return self._store(given, who.login, project, who)

    def merge_item(
        self,
        item_id: str,
        document: Item,
        who: Principal,
        *,
        cleared: Iterable[str] = (),
        reason: str = "",
    ) -> Item:
        """Lay a document over a stored one; see `Changing.merge_item`. The new document is returned."""
        paths = tuple(cleared)
        changing = self._changing(who, reason)
        changed = self._change(lambda c: changing(c).merge_item(item_id, document, paths))
        return self._as_read(changed, who)

    def replace_item(self, item_id: str, document: Item, who: Principal, *, reason: str = "") -> Item:
        """Put a document in the place of a stored one; see `Changing.replace_item`."""
        changing = self._changing(who, reason)
        changed = self._change(lambda c: changing(c).replace_item(item_id, document))
        return self._as_read(changed, who)

    def rename_item(
        self, item_id: str, label: str, who: Principal, *, project: str = "", reason: str = ""
    ) -> None:
        """Another label for a subject or experiment, in its own project or a further one."""
        changing = self._changing(who, reason)
        self._change(lambda c: changing(c).rename(item_id, label, project))

    def delete_item(
        self, item_id: str, who: Principal, reason: str = "", *, with_shares: bool = False
    ) -> tuple[str, ...]:
        """Delete an item and all inside it, leaving tombstones; see `deletion.delete_item`."""
        with writing(self.engine) as connection:
            return deletion.delete_item(
                connection, self._layout, item_id, who, reason, with_shares=with_shares
            ).ids

    def share(self, item_id: str, project: str, label: str, who: Principal) -> None:
        """Let a further project see an item; see `sharing.share`."""
        self._change(lambda c: sharing.share(c, self._layout, item_id, project, label, who))

    def unshare(self, item_id: str, project: str, who: Principal, *, reason: str = "") -> None:
        """Take an item out of a project that it is shared into; see `sharing.unshare`."""
        self._change(lambda c: sharing.unshare(c, self._layout, item_id, project, who, reason=reason))

    def move_item(
        self, item_id: str, project: str, who: Principal, *, reason: str = "", along: Sequence[str] = ()
    ) -> None:
        """Give an item, and those that go along, to another project; the old one keeps shares.

        Source   `sharing.move`; all of them move, or none
        """

        def move(connection: Connection) -> None:
            for one in (item_id, *along):
                sharing.move(connection, self._layout, one, project, who, reason=reason)

        self._change(move)

    # Edits as the REST interface makes them (store.edits, store.parts)

    def edit(self, item_id: str, edit: Edit, who: Principal) -> None:
        """Change one item in one transaction; see `edits.apply_edit`."""
        site_id = self._site_id()
        self._change(lambda c: edits.apply_edit(c, self._layout, item_id, edit, who, site_id=site_id))

    def edit_project(self, project_id: str, edit: Edit, who: Principal) -> None:
        """The same for a project, whose names no other project may have."""
        site_id = self._site_id()

        def change(connection: Connection) -> None:
            if edit.document is not None:
                edits.need_free_names(connection, self._layout, self._dialect, edit.document, project_id)
            edits.apply_edit(connection, self._layout, project_id, edit, who, site_id=site_id)

        self._change(change)

    def found_project(self, document: Item, who: Principal, accessibility: Accessibility) -> None:
        """A new project that belongs to the user; see `edits.found_project`."""
        found = partial(
            edits.found_project,
            layout=self._layout,
            dialect=self._dialect,
            document=document,
            who=who,
            accessibility=accessibility,
            site_id=self._site_id(),
        )
        self._change(found)

    def add_part(
        self, session_id: str, family: t.Family, part: Item, who: Principal, *, reason: str = ""
    ) -> str:
        """A new scan or reconstruction of a session; see `edits.add_part`."""
        layout, site_id = self._layout, self._site_id()
        return self._change(
            lambda c: edits.add_part(c, layout, session_id, family, part, who, site_id=site_id, reason=reason)
        )

    def delete_at(
        self,
        item_id: str,
        who: Principal,
        *,
        expected: Collection[str] = (),
        reason: str = "",
        with_shares: bool = False,
    ) -> Deleted:
        """Delete an item that is at one of these revisions; see `deletion.delete_item`."""

        def change(connection: Connection) -> Deleted:
            if expected:
                edits.need_revision(connection, self._layout, item_id, expected, who)
            return deletion.delete_item(
                connection, self._layout, item_id, who, reason, with_shares=with_shares
            )

        return self._change(change)

    def read_status(self, item_id: str, who: Principal) -> str:
        """Whether an item is active; see `edits.read_status`."""
        with self.engine.connect() as connection:
            return edits.read_status(connection, item_id, who)

    def locate_part(self, session: Located, family: t.Family, text: str, who: Principal) -> Located:
        """A scan or reconstruction of a session. Raises NotFound."""
        with self.engine.connect() as connection:
            return parts.locate_part(connection, session, family, text, who)

    def locate_assessor(self, session: Located, text: str, who: Principal, project: str = "") -> Located:
        """An assessor of a session, by id or label. Raises NoSuchExperiment."""
        with self.engine.connect() as connection:
            return parts.locate_assessor(connection, session, text, who, project=project)

    def may(self, project: str, right: Right, who: Principal) -> bool:
        """Whether the user has a right in a project; see `rights.has_right`."""
        with self.engine.connect() as connection:
            return has_right(connection, who, project, right)

    def files_of_subject(self, subject_id: str, who: Principal) -> list[MirrorFile]:
        """What the mirrors hold of a subject; see `subject_files`."""
        with self.engine.connect() as connection:
            return subject_files.files_of_subject(connection, subject_id, who)

    def scan_types(self, who: Principal, project: str = "") -> list[tuple[str, str]]:
        """What kinds of scans the user sees; see `parts.scan_types`."""
        with self.engine.connect() as connection:
            return parts.scan_types(connection, self._layout, who, project)

    def scanners(self, who: Principal, project: str = "") -> list[str]:
        """What scanners the user sees sessions of; see `parts.scanners`."""
        with self.engine.connect() as connection:
            return parts.scanners(connection, self._layout, who, project)

    def shown_in(self, item_id: str, who: Principal) -> list[tuple[str, str, str, str]]:
        """Label, id, second id and name of the projects that show an item; see `parts.shown_in`."""
        with self.engine.connect() as connection:
            return parts.shown_in(connection, self._layout, item_id, who)

    # What became of things

    def history(self, item_id: str, who: Principal) -> tuple[Change, ...]:
        """The changes of an item, the last first, each with the document before it.

        Raises  NotFound; AccessDenied when the user sees the item only by a share
        """
        with self.engine.connect() as connection:
            return read_history(connection, self._layout, item_id, who)

    def tombstones(self, project: str, who: Principal) -> tuple[Tombstone, ...]:
        """What was deleted from a project, the last first."""
        with self.engine.connect() as connection:
            return deletion.read_tombstones(connection, project, who)

    def add_files(
        self,
        project: str,
        location: str,
        rows: Iterable[FileRow],
        *,
        replace: bool = True,
        prefix: str = "",
    ) -> files.FileChanges:
        """Note what the mirror at `location` holds of a project; see `files.add_files`."""
        with writing(self.engine) as connection:
            return files.add_files(connection, project, location, rows, replace=replace, prefix=prefix)

    # Resources and their files, see `holders`, `resources` and `resource_files`

    def find_holders(
        self, address: ItemAddress, who: Principal, *, right: Right | None = None, below: bool = False
    ) -> list[ResourceHolder]:
        """The items that an address names, with `below` also what is inside them; see `find_holders`."""
        with self.engine.connect() as connection:
            found = holders.find_holders(connection, self._layout, address, who, right)
            inside = (
                one
                for holder in (found if below else ())
                for one in holders.holders_below(connection, self._layout, holder, who)
            )
            return [*found, *inside]

    def list_resources(self, some: Sequence[ResourceHolder]) -> list[ResourceRecord]:
        """The resources of items that were found."""
        with self.engine.connect() as connection:
            return resources.list_resources(connection, self._layout, some)

    def find_resources(self, some: Sequence[ResourceHolder], names: str) -> list[ResourceRecord]:
        """The resources of these items by number or label. Raises NotFound."""
        with self.engine.connect() as connection:
            return resources.find_resources(connection, self._layout, some, names)

    def create_resource(
        self, address: ItemAddress, label: str, who: Principal, **facts: Unpack[ResourceFacts]
    ) -> ResourceRecord:
        """A new resource; see `resources.create_resource`."""
        site_id = self._site_id()
        with writing(self.engine) as connection:
            (holder,) = holders.find_holders(connection, self._layout, address, who, "edit")[:1]
            return resources.create_resource(
                connection, self._layout, holder, label, who, site_id=site_id, **facts
            )

    def delete_resource(self, resource: ResourceRecord, who: Principal, reason: str = "") -> list[str]:
        """Delete a resource; gives the keys of objects that nothing points to any more."""
        with writing(self.engine) as connection:
            return resources.delete_resource(connection, self._layout, resource, who, reason)

    def find_files(
        self, some: Sequence[ResourceRecord], *, path: str = "", folder: str = "", recursive: bool = True
    ) -> list[HeldFile]:
        """The files of resources; see `resource_files.find_files`."""
        with self.engine.connect() as connection:
            return resource_files.find_files(connection, some, path=path, folder=folder, recursive=recursive)

    def enter_files(
        self,
        address: ItemAddress,
        label: str,
        new: Sequence[NewFile],
        who: Principal,
        *,
        overwrite: bool = False,
        expected: Expected | None = None,
        reason: str = "",
    ) -> Entered:
        """Make files visible in the resource of that number or label, which is made when it is not there.

        Raises  as `resource_files.enter_files`
        """
        site_id = self._site_id()
        with writing(self.engine) as connection:
            (holder,) = holders.find_holders(connection, self._layout, address, who, "edit")[:1]
            resource = resources.found_or_made(
                connection, self._layout, holder, label, who, site_id=site_id, reason=reason
            )
            return resource_files.enter_files(
                connection, self._layout, resource, new, who, overwrite=overwrite, expected=expected
            )

    def delete_files(
        self, some: Sequence[HeldFile], who: Principal, *, expected: Expected | None = None
    ) -> list[str]:
        """Delete files; gives the keys of objects that nothing points to any more."""
        with writing(self.engine) as connection:
            return resource_files.delete_files(connection, self._layout, some, who, expected=expected)

    def set_file_facts(self, resource: ResourceRecord, facts: Sequence[NewFile]) -> None:
        """Change what is known of files that stay where they are; see `resource_files.set_facts`."""
        with writing(self.engine) as connection:
            resource_files.set_facts(connection, self._layout, resource, facts)

    def labels_of(self, pks: Sequence[int]) -> dict[int, str]:
        """The labels of items by primary key."""
        with self.engine.connect() as connection:
            return holders.labels_of(connection, pks)

    def known_keys(self, keys: Collection[str]) -> set[str]:
        """Those of some keys of the site's store that a file points to."""
        with self.engine.connect() as connection:
            return resource_files.known_keys(connection, keys)

    def held_keys(self) -> list[tuple[str, str]]:
        """Every key that a file points to, and which file: `<resource id>/<path>`."""
        with self.engine.connect() as connection:
            return list(resource_files.iter_keys(connection))

    # Health

    def examine(self) -> tuple[Problem, ...]:
        """What is wrong in the database; see `doctor.examine`."""
        return doctor.examine(self.engine, self._layout)

    def repair(self) -> tuple[Problem, ...]:
        """Mend what can be computed again; what is left is returned."""
        return doctor.repair(self.engine, self._layout)

    # Tiers of fields, see `tiers`

    def tiers(self, who: Principal) -> tuple[HeldTier, ...]:
        """What the user was granted or has accepted, by project and tier."""
        with self.engine.connect() as connection:
            return tiers.tiers_of(connection, who)

    def tier_holders(self, project: str) -> tuple[tuple[str, HeldTier], ...]:
        """Who was granted tiers of a project or has accepted its terms; see `tiers.holders`."""
        with self.engine.connect() as connection:
            return tiers.holders(connection, project)

    def read_terms(self, who: Principal, project: str, tier: str) -> str:
        """The text that one accepts; see `tiers.read_terms`."""
        with self.engine.connect() as connection:
            return tiers.read_terms(connection, who, project, tier)

    def set_terms(self, project: str, tier: str, text: str) -> None:
        """The terms of a tier in a project; everybody accepts them anew."""
        tiers.set_terms(self.engine, project, tier, text)

    def grant_tier(self, project: str, login: str, tier: str) -> None:
        """Let a user hold a tier of a project once they accept its terms; see `tiers.grant_tier`."""
        tiers.grant_tier(self.engine, project, login, tier)

    def revoke_tier(self, project: str, login: str, tier: str) -> None:
        """Take a tier back."""
        tiers.revoke_tier(self.engine, project, login, tier)

    def accept_terms(self, who: Principal, project: str, tier: str) -> HeldTier:
        """Note that a user accepts the terms, with the date; see `tiers.accept_terms`."""
        return tiers.accept_terms(self.engine, who, project, tier)

    # Registered data types

    def registrations(self) -> dict[str, ElementSecurity]:
        """How each data type is registered; see `registration.registrations`."""
        with self.engine.connect() as connection:
            return registration.registrations(connection, self.types)

    def register_type(self, xsi_type: str, changes: Mapping[str, str], who: Principal) -> ElementSecurity:
        """Change how a data type is registered; see `registration.register`."""
        with writing(self.engine) as connection:
            record = registration.register(connection, self.types, xsi_type, changes, who)
        self._searchable.forget()
        return record

    # People

    def add_user(self, login: str, password: str, *, is_admin: bool = False, email: str = "") -> Principal:
        """A new account; see `Accounts.add`."""
        return self._accounts.add(login, password, is_admin=is_admin, email=email)

    def verify_password(self, login: str, password: str, address: str = "") -> Principal:
        """Who that is, asked from `address`. Raises BadCredentials, TooManyAttempts."""
        return self._accounts.verify(login, password, address)

    def set_password(self, login: str, password: str) -> None:
        """Change a password; the account's logins end."""
        self._accounts.set_password(login, password)

    def find_user(self, login: str) -> Principal:
        """The account of that login. Raises NotFound."""
        return self._accounts.find(login)

    def users(self) -> tuple[Account, ...]:
        """Every account, by login."""
        return self._accounts.users()

    def grant(self, project: str, login: str, group: Group) -> None:
        """Put a person into a group of a project; see `Accounts.grant`."""
        self._accounts.grant(project, login, group)

    def revoke(self, project: str, login: str) -> None:
        """Take a person out of a project."""
        self._accounts.revoke(project, login)

    def members(self, project: str) -> tuple[Membership, ...]:
        """Who is in a project, by login."""
        return self._accounts.members(project)

    # Logins

    def open_session(self, login: str, lifetime_s: float) -> LoginSession:
        """A login that lasts `lifetime_s` seconds after its last use."""
        return self._sessions.open(login, lifetime_s)

    def touch_session(self, session_id: str) -> Principal | None:
        """Whose login that is, renewed; None when it is unknown or over."""
        return self._sessions.touch(session_id)

    def close_session(self, session_id: str) -> None:
        """Log out."""
        self._sessions.close(session_id)

    # Settings

    def get_setting(self, name: str, default: str = "") -> str:
        """A setting of the site that is kept in its database."""
        with self.engine.connect() as connection:
            found = connection.scalar(select(t.setting.c.value).where(t.setting.c.name == name))
        return default if found is None else found

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting of the site."""
        self._known_site_id = ""
        with writing(self.engine) as connection:
            changed = connection.execute(
                update(t.setting).where(t.setting.c.name == name).values(value=value)
            )
            if not changed.rowcount:
                connection.execute(insert(t.setting).values(name=name, value=value))

    def _site_id(self) -> str:
        """Prefix of fresh ids; it is looked up once, and again after a setting was changed here."""
        if not self._known_site_id:
            self._known_site_id = self.get_setting("site_id", DEFAULT_SITE_ID)
        return self._known_site_id

    # How writes become durable, see `group_commit`

    def _store(
        self, documents: Iterable[Item | Imported], user: str, project: str, who: Principal | None
    ) -> IngestReport:
        """A few documents are stored together with what others store now, many in their own transaction."""
        iterator = iter(documents)
        first = list(islice(iterator, _MOST_GROUPED + 1))
        if len(first) > _MOST_GROUPED:
            site_id = self._site_id()
            with writing(self.engine) as connection:
                writer = ItemWriter(
                    connection, self._layout, user=user, project=project, site_id=site_id, who=who
                )
                writer.store(chain(first, iterator))
            return IngestReport(len(writer.ids), tuple(writer.ids))
        ids = self._group.write(self._storing(), Order(tuple(first), user, project, who))
        return IngestReport(len(ids), ids)

    def _storing(self) -> Work[Order, tuple[str, ...]]:
        """The work of storing orders; the same one for as long as types and site are the same."""
        layout, site_id = self._layout, self._site_id()
        return self._kept.get(("storing", layout, site_id), lambda: partial(store_orders, layout, site_id))

    def _change(self, change: Callable[[Connection], T]) -> T:
        """Make one change durable; `change` may run more than once, and only the last time counts.

        Where writers wait for each other anyway, they go together; elsewhere, one that has to wait for a row
        would keep others from theirs.
        """
        if one_at_a_time(self.engine):
            work = cast("Work[Callable[[Connection], T], T]", _run_each)
            return self._group.write(work, change)
        with writing(self.engine) as connection:
            return change(connection)

    def _changing(self, who: Principal, reason: str) -> Callable[[Connection], Changing]:
        layout, site_id = self._layout, self._site_id()
        return lambda connection: Changing(connection, layout, who, site_id=site_id, reason=reason)

    def _as_read(self, item: Item, who: Principal) -> Item:
        with self.engine.connect() as connection:
            return tiers.without_closed(connection, self.types, item, who)

    def _make_executors(self) -> tuple[Executor, ...]:
        parts = (self.engine, self._layout, self._dialect)
        return (CopyExecutor(*parts, Copies(self._layout, self._dialect)), SqlExecutor(*parts))

    def _plan(self, query: SearchQuery, who: Principal, *, linked: bool = False) -> Plan:
        """How the question of this user is answered, made once for all that differ only in their values.

        Which tiers the user holds is looked up each time that a closed field is named; the plan's own law
        does so again, row by row.
        """
        frame = self._kept.get(
            ("frame", query.root, query.fields, query.sort_by, linked, who.user_id),
            lambda: self._frame(query, who, linked=linked),
        )
        where = resolve_where(fill_user(SearchQuery(query.root, where=query.where), who.user_id), self.types)
        resolved = replace(frame.query, where=where)
        self._searchable.admit(resolved, who)
        conditions = replace(frame.query, where=where, fields=(), order=())
        keys: tuple[str, ...] = ()
        if not who.is_admin and (frame.has_closed or tiers.closed_fields(conditions, self.types)):
            with self.engine.connect() as connection:
                resolved = tiers.admit(connection, resolved, self.types, who)
            keys = tuple(field.key for field in resolved.fields)
        lifted = lift(resolved)
        try:
            plan = self._kept.get(
                (frame, lifted.shape, who, keys), lambda: first_plan(self._executors, lifted, who)
            )
        except execute.ValueMoved:
            return first_plan(self._executors, Lifted(resolved, resolved.where), who)
        return plan.filled(lifted.values)

    def _frame(self, query: SearchQuery, who: Principal, *, linked: bool) -> _Frame:
        asked = fill_user(replace(query.bare(), where=CriteriaSet()), who.user_id)
        resolved = resolve(asked, self.types)
        if linked:
            more = link_columns(resolved.fields, resolved.root, self.types)
            resolved = replace(resolved, fields=(*resolved.fields, *more))
        return _Frame(resolved, bool(tiers.closed_fields(resolved, self.types)))


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """Columns and order of a question, understood; each is one of its own as a key."""

    query: ResolvedQuery
    has_closed: bool


def _run_each(connection: Connection, changes: Sequence[Callable[[Connection], object]]) -> Sequence[object]:
    return [change(connection) for change in changes]
