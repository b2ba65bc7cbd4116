"""The archive of one site: everything that the server asks of the database, in one place.

A facade: each method opens a connection, lets one module do the work, and closes it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Engine, func, insert, select, update

from connectomedb.schema.model import Item
from connectomedb.schema.registry import DataTypes
from connectomedb.search import explain as sentences
from connectomedb.search.query import SearchQuery
from connectomedb.search.resolve import resolve
from connectomedb.store import experiments, files, items, listings, projects, subjects, tiers
from connectomedb.store import tables as t
from connectomedb.store.accounts import Account, Accounts
from connectomedb.store.compile import Compiled, compile_search
from connectomedb.store.engine import dialect_of, writing
from connectomedb.store.items import IngestReport
from connectomedb.store.sessions import LoginSession, LoginSessions
from connectomedb.store.tiers import HeldTier
from connectomedb.store.visibility import visible, visible_file, visible_project
from connectomedb.tables.result import ResultTable
from connectomedb.vocabulary.records import Accessibility, FileRow, Group, Located, Membership, Principal

__all__ = ["Archive", "IngestReport"]

DEFAULT_SITE_ID = "ConnectomeDB"


class Archive:
    """Projects, subjects, experiments, files, accounts and logins of one site.

    Safe to use from several threads: each call takes a connection of its own from the pool.
    """

    def __init__(self, engine: Engine, types: DataTypes) -> None:
        self.engine = engine
        self._layout = t.Layout(types)
        self._dialect = dialect_of(engine)
        self._accounts = Accounts(engine)
        self._sessions = LoginSessions(engine)

    @property
    def types(self) -> DataTypes:
        """The data types that the archive has tables for."""
        return self._layout.types

    def create(self) -> Archive:
        """Make the tables of a new site; those of an existing one are checked."""
        t.create(self.engine, self._layout)
        return self

    def open(self) -> Archive:
        """Check that the database is one of this version, and add what new types need.

        Raises  ConfigurationError when the database is none, or another version's
        """
        t.check_version(self.engine)
        t.core.create_all(self.engine)
        t.update_layout(self.engine, self._layout)
        return self

    def use_types(self, types: DataTypes) -> None:
        """Go on with these data types; tables and columns are added for what is new."""
        layout = t.Layout(types)
        t.update_layout(self.engine, layout)
        self._layout = layout

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    # Questions

    def search(self, query: SearchQuery, who: Principal) -> ResultTable:
        """The rows that the user may see; columns as asked for, `quarantine_status` last.

        Raises  UnknownDataType, UnknownField, BadConstraint
        Cost    one statement
        """
        compiled = self._compiled(query, who)
        with self.engine.connect() as connection:
            rows = connection.execute(compiled.statement).all()
        title = query.brief_description or query.description
        return ResultTable(compiled.columns, tuple(tuple(row) for row in rows), title, compiled.root)

    def explain(self, query: SearchQuery, who: Principal) -> str:
        """The question as a sentence, and its SQL with the values that are bound."""
        resolved = tiers.admit(self.engine, resolve(query, self.types), self.types, who)
        compiled = compile_search(resolved, who, self._layout, self._dialect)
        sql = compiled.statement.compile(dialect=self.engine.dialect)
        values = ", ".join(f"{name}={value!r}" for name, value in sql.params.items())
        return f"{sentences.explain(resolved)}\n{sql}\n-- {values}"

    def listing(
        self,
        level: listings.Level,
        who: Principal,
        *,
        project: str = "",
        subject: str = "",
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
                columns=columns,
                xsi_types=xsi_types,
                filters=filters,
            )

    def elements_used(self, who: Principal) -> dict[str, int]:
        """Number of items that the user sees, for each type of which there are any."""
        i = t.item.c
        data = select(i.xsi_type, func.count()).where(i.family != "project", visible(t.item, who))
        owners = select(i.xsi_type, func.count()).where(i.family == "project", visible_project(t.item, who))
        held = select(func.count()).select_from(t.file).where(visible_file(t.file, who))
        with self.engine.connect() as connection:
            counts: dict[str, int] = dict(connection.execute(data.group_by(i.xsi_type)).all())
            counts |= dict(connection.execute(owners.group_by(i.xsi_type)).all())
            n_files = connection.scalar(held) or 0
        return {**counts, t.FILE: n_files} if n_files else counts

    def count_members(self, who: Principal) -> dict[tuple[str, str], int]:
        """How many subjects and experiments each project shows to the user, by (project, family)."""
        with self.engine.connect() as connection:
            return projects.count_members(connection, who)

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

    def load_item(self, item_id: str, who: Principal) -> Item:
        """The document of a subject or experiment. Raises NotFound."""
        with self.engine.connect() as connection:
            item = items.load_item(connection, self._layout, item_id, who)
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
        with writing(self.engine) as connection:
            items.add_project(
                connection,
                self._layout,
                project_id,
                name=name,
                description=description,
                accessibility=accessibility,
                insert_user=insert_user,
            )

    def store_items(self, documents: Iterable[Item], *, user: str, project: str = "") -> IngestReport:
        """Store documents: all of them durably, or none.

        `project` owns those that name no project. Ids are kept where given, else made.

        Raises  NotValid with every reason; LabelTaken, Conflict, NoSuchProject, NoSuchSubject
        """
        site_id = self.get_setting("site_id", DEFAULT_SITE_ID)
        with writing(self.engine) as connection:
            writer = items.ItemWriter(connection, self._layout, user=user, project=project, site_id=site_id)
            writer.store(documents)
        return IngestReport(len(writer.ids), tuple(writer.ids))

    def share(self, item_id: str, project: str, label: str, who: Principal) -> None:
        """Let a further project see an item; see `experiments.share`."""
        with writing(self.engine) as connection:
            experiments.share(connection, item_id, project, label, who)

    def add_files(self, project: str, location: str, rows: Iterable[FileRow], *, replace: bool = True) -> int:
        """Note what the mirror at `location` holds of a project; see `files.add_files`."""
        with writing(self.engine) as connection:
            return files.add_files(connection, project, location, rows, replace=replace)

    # People

    def add_user(self, login: str, password: str, *, is_admin: bool = False, email: str = "") -> Principal:
        """A new account; see `Accounts.add`."""
        return self._accounts.add(login, password, is_admin=is_admin, email=email)

    def verify_password(self, login: str, password: str) -> Principal:
        """Who that is. Raises BadCredentials."""
        return self._accounts.verify(login, password)

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

    # Tiers of fields, see `tiers`

    def tiers(self, who: Principal) -> tuple[HeldTier, ...]:
        """What the user was granted or has accepted, by project and tier."""
        with self.engine.connect() as connection:
            return tiers.tiers_of(connection, who)

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

    # Settings

    def get_setting(self, name: str, default: str = "") -> str:
        """A setting of the site that is kept in its database."""
        with self.engine.connect() as connection:
            found = connection.scalar(select(t.setting.c.value).where(t.setting.c.name == name))
        return default if found is None else found

    def set_setting(self, name: str, value: str) -> None:
        """Keep a setting of the site."""
        with writing(self.engine) as connection:
            changed = connection.execute(
                update(t.setting).where(t.setting.c.name == name).values(value=value)
            )
            if not changed.rowcount:
                connection.execute(insert(t.setting).values(name=name, value=value))

    def _compiled(self, query: SearchQuery, who: Principal) -> Compiled:
        resolved = tiers.admit(self.engine, resolve(query, self.types), self.types, who)
        return compile_search(resolved, who, self._layout, self._dialect)
