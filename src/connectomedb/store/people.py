"""Everything that the server asks about people: accounts, logins, tokens, groups, requests, site settings.

A facade like `archive`, beside it: each method opens a connection and lets one module do the work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, select

from connectomedb.errors import NotFound
from connectomedb.store import groups, offers, project_facts, project_people, site_settings
from connectomedb.store import tables as t
from connectomedb.store.accounts import SITE_GROUPS, Account, Accounts
from connectomedb.store.engine import writing
from connectomedb.store.groups import ProjectGroup, TypeRights
from connectomedb.store.project_people import AccessRequest, Member
from connectomedb.store.sessions import LoginSessions, OpenLogin, Token
from connectomedb.store.site_settings import SettingValue
from connectomedb.vocabulary.records import Accessibility, Principal

HOUR_S = 3600.0


class People:
    """The people of one site. Safe between threads."""

    def __init__(self, engine: Engine, accounts: Accounts, sessions: LoginSessions) -> None:
        self._engine = engine
        self.accounts = accounts
        self.sessions = sessions

    # Alias tokens

    def issue_token(self, login: str) -> Token:
        """A new alias token of an account, as long as the site lets them live. Raises NotFound."""
        hours = self.setting("aliasTokenLifetimeHours")
        return self.sessions.issue_token(login, int(hours) * HOUR_S)

    # What somebody is, by the ids of groups as XNAT writes them

    def groups_of(self, login: str) -> list[str]:
        """Ids of the groups that an account is in: of projects, and of the site. Raises NotFound."""
        account = self.accounts.account(login)
        with self._engine.connect() as connection:
            found = groups.groups_of(connection, account.user_id)
        return [*found, *(name for name, kind in SITE_GROUPS.items() if kind == account.all_data and kind)]

    def enter_group(self, login: str, group_id: str, who: Principal) -> None:
        """Put an account into a group of that id, of a project or of the site.

        Raises  NotFound; AccessDenied, Conflict as `project_people.add_people`
        """
        if group_id in SITE_GROUPS:
            self.accounts.set_site_group(login, SITE_GROUPS[group_id])
            return
        self.accounts.account(login)
        named = self._named_groups(group_id)
        with writing(self._engine) as connection:
            for group in named:
                project_people.add_people(connection, group.project, group.id, login, who)

    def leave_group(self, login: str, group_id: str, who: Principal) -> None:
        """Take an account out of a group. Raises as `enter_group`."""
        if group_id in SITE_GROUPS:
            if self.accounts.account(login).all_data == SITE_GROUPS[group_id]:
                self.accounts.set_site_group(login, "")
            return
        named = self._named_groups(group_id)
        with writing(self._engine) as connection:
            for group in named:
                project_people.remove_people(connection, group.project, group.id, login, who)

    def _named_groups(self, group_id: str) -> Sequence[ProjectGroup]:
        project, _, suffix = group_id.rpartition("_")
        g = groups.project_group.c
        with self._engine.connect() as connection:
            known = connection.scalar(select(t.project.c.id).where(t.project.c.id == project))
            if known is not None and suffix in groups.DISPLAY_NAMES:
                return [groups.find_group(connection, project, group_id)]
            owners = connection.scalars(select(g.project).where(g.id == group_id)).all()
            if not owners:
                raise NotFound(f"no group {group_id!r}; groups are called like LIFESPAN_member")
            return [groups.find_group(connection, owner, group_id) for owner in owners]

    def accesses(self, who: Principal) -> dict[str, str]:
        """What the user is in each project they read, by id: `Owners`, ..., else what lets them in."""
        u = t.project_user.c
        with self._engine.connect() as connection:
            mine = select(u.project, u.group_name).where(u.user_id == who.user_id)
            roles = {row.project: row.group_name for row in connection.execute(mine)}
            readable = offers.read_project_ids(connection, who)
        names: Mapping[str, str] = {str(k): v for k, v in groups.DISPLAY_NAMES.items()}
        if who.is_admin:
            other = "Administrator"
        elif who.all_data:
            other = next(name for name, kind in SITE_GROUPS.items() if kind == who.all_data)
        else:
            other = "Public"
        return {project: names.get(roles.get(project, ""), other) for project in readable}

    def project_ids(self) -> list[str]:
        """Ids of all projects, whoever sees them."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(t.project.c.id).order_by(t.project.c.id)))

    def writes_somewhere(self, who: Principal) -> bool:
        """The user may create items in some project."""
        if who.is_admin or who.all_data == "write":
            return True
        u = t.project_user.c
        mine = select(u.project).where(u.user_id == who.user_id, u.group_name.in_(("owner", "member")))
        with self._engine.connect() as connection:
            return connection.scalar(mine.limit(1)) is not None

    # Projects and their people

    def members(self, project: str, who: Principal, *, disabled: bool = False) -> tuple[Member, ...]:
        """The people of a project; see `project_people.members`."""
        with self._engine.connect() as connection:
            restricted = bool(site_settings.read(connection, "restrictUserListAccessToAdmins"))
            return project_people.members(
                connection, project, who, disabled=disabled, only_editors=restricted
            )

    def add_people(self, project: str, group: str, people: str, who: Principal) -> list[int]:
        """Put people into a group; see `project_people.add_people`."""
        with writing(self._engine) as connection:
            return project_people.add_people(connection, project, group, people, who)

    def remove_people(self, project: str, group: str, people: str, who: Principal) -> None:
        """Take people out of a group; see `project_people.remove_people`."""
        with writing(self._engine) as connection:
            project_people.remove_people(connection, project, group, people, who)

    def project_groups(self, project: str, who: Principal) -> tuple[ProjectGroup, ...]:
        """The groups of a project; see `project_people.project_groups`."""
        with self._engine.connect() as connection:
            return project_people.project_groups(connection, project, who)

    def keep_group(
        self, project: str, group: str, name: str, rights: Mapping[str, TypeRights], who: Principal
    ) -> ProjectGroup:
        """Make or change a custom group; see `groups.keep_group`. For owners."""
        with writing(self._engine) as connection:
            project_people.need_manager(connection, project, who, "to make groups")
            return groups.keep_group(connection, project, group, name, rights)

    def drop_group(self, project: str, group: str, who: Principal) -> None:
        """Delete a custom group; see `groups.drop_group`. For owners."""
        with writing(self._engine) as connection:
            project_people.need_manager(connection, project, who, "to delete groups")
            groups.drop_group(connection, project, group)

    def accessibility(self, project: str) -> Accessibility:
        """Who sees a project beside its groups."""
        with self._engine.connect() as connection:
            return project_facts.read_accessibility(connection, project)

    def change_accessibility(self, project: str, level: str, who: Principal) -> None:
        """Say who sees a project beside its groups. Raises AccessDenied, BadConstraint."""
        with writing(self._engine) as connection:
            project_people.need_manager(connection, project, who, "to change its accessibility")
            project_facts.change_accessibility(connection, project, level)

    def change_project_setting(self, project: str, name: str, value: int, who: Principal) -> None:
        """Give a setting of a project a value. Raises AccessDenied."""
        with writing(self._engine) as connection:
            project_people.need_manager(connection, project, who, f"to change its {name}")
            project_facts.change_setting(connection, project, name, value)

    def favorites(self, who: Principal) -> tuple[str, ...]:
        """Ids of the user's favourite projects."""
        with self._engine.connect() as connection:
            return project_facts.list_favorites(connection, who)

    # Access requests

    def ask_access(self, project: str, level: str, who: Principal) -> int:
        """Ask to be let into a project; see `project_people.ask_access`."""
        with writing(self._engine) as connection:
            return project_people.ask_access(connection, project, level, who)

    def requests(self, layout: t.Layout, who: Principal, project: str = "") -> tuple[AccessRequest, ...]:
        """Access requests of the user, or of a project that they own."""
        with self._engine.connect() as connection:
            if project:
                return project_people.project_requests(connection, layout, project, who)
            return project_people.my_requests(connection, layout, who)

    def request(self, layout: t.Layout, number: int, who: Principal) -> AccessRequest:
        """One access request; see `project_people.find_request`."""
        with self._engine.connect() as connection:
            return project_people.find_request(connection, layout, number, who)

    def answer_request(self, layout: t.Layout, number: int, who: Principal, *, accept: bool) -> AccessRequest:
        """Let somebody in, or not; see `project_people.answer_request`."""
        with writing(self._engine) as connection:
            return project_people.answer_request(connection, layout, number, who, accept=accept)

    # Settings of the site

    def setting(self, name: str) -> SettingValue:
        """A setting of the site, whoever asks. Raises NotFound."""
        with self._engine.connect() as connection:
            return site_settings.read(connection, name)

    def settings(self, who: Principal) -> dict[str, SettingValue]:
        """The settings that the user may read."""
        with self._engine.connect() as connection:
            return site_settings.shown(connection, who)

    def setting_for(self, name: str, who: Principal) -> SettingValue:
        """One setting. Raises NotFound, AccessDenied."""
        with self._engine.connect() as connection:
            return site_settings.read_for(connection, name, who)

    def change_settings(self, values: Mapping[str, object], who: Principal) -> None:
        """Give settings their values; see `site_settings.change`."""
        with writing(self._engine) as connection:
            site_settings.change(connection, values, who)

    # For the lists of administrators

    def logins(self, login: str = "") -> tuple[OpenLogin, ...]:
        """The logins that are open, of one account or of all."""
        return self.sessions.open_logins(login)

    def everybody(self) -> tuple[Account, ...]:
        """Every account, by login."""
        return self.accounts.users()
