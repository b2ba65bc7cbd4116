"""Commands about the people of a site: accounts and passwords, and who is in which project."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import common
from connectomedb.cli.site import need_server_libraries
from connectomedb.tables.result import Column, ResultTable

if TYPE_CHECKING:
    from connectomedb.store.archive import Archive
    from connectomedb.vocabulary.records import Principal

_PASSWORD_BYTES = 15


@click.group("users", invoke_without_command=True)
@common.site_option
@common.as_json_option
@click.pass_context
def users_command(context: click.Context, site: Path, as_json: bool) -> None:
    """List the accounts of a site's folder; the commands below make and change them.

    \b
    Example:
      connectomedb users --site mysite
      connectomedb users add alice --email alice@example.org --site mysite
    """
    if context.invoked_subcommand is not None:
        return
    keys = ("login", "name", "email", "administrator", "enabled", "last login")
    with _archive(site) as archive:
        rows = tuple(
            (
                a.login,
                f"{a.firstname} {a.lastname}".strip(),
                a.email,
                "yes" if a.is_admin else "",
                "yes" if a.enabled else "no",
                str(a.last_login or ""),
            )
            for a in archive.people.everybody()
        )
    common.emit_table(ResultTable(tuple(Column(key) for key in keys), rows), as_json=as_json)


@users_command.command("add")
@click.argument("login")
@click.option("--email", default="", help="E-mail address.")
@click.option("--first-name", default="", help="First name.")
@click.option("--last-name", default="", help="Last name.")
@click.option("--admin", is_flag=True, help="Make an administrator.")
@click.option("--ask-password", is_flag=True, help="Ask for the password; else one is made.")
@common.site_option
@common.as_json_option
def add_command(
    login: str,
    email: str,
    first_name: str,
    last_name: str,
    admin: bool,
    ask_password: bool,
    site: Path,
    as_json: bool,
) -> None:
    """Make an account.

    \b
    Example:
      connectomedb users add alice --email alice@example.org --site mysite
    """
    password = _password(login, ask=ask_password)
    with _archive(site) as archive:
        archive.people.accounts.add(
            login, password, is_admin=admin, email=email, firstname=first_name, lastname=last_name
        )
    _say_password(login, password, f"account {login}", asked=ask_password, as_json=as_json)


@users_command.command("password")
@click.argument("login")
@click.option("--ask-password", is_flag=True, help="Ask for the password; else one is made.")
@common.site_option
@common.as_json_option
def password_command(login: str, ask_password: bool, site: Path, as_json: bool) -> None:
    """Give an account a new password; its logins and alias tokens end.

    \b
    Example:
      connectomedb users password alice --site mysite
    """
    password = _password(login, ask=ask_password)
    with _archive(site) as archive:
        archive.set_password(login, password)
    _say_password(login, password, f"new password of {login}", asked=ask_password, as_json=as_json)


@users_command.command("enable")
@click.argument("login")
@common.site_option
@common.as_json_option
def enable_command(login: str, site: Path, as_json: bool) -> None:
    """Let an account log in again.

    \b
    Example:
      connectomedb users enable alice --site mysite
    """
    _set_enabled(site, login, enabled=True, as_json=as_json)


@users_command.command("disable")
@click.argument("login")
@common.site_option
@common.as_json_option
def disable_command(login: str, site: Path, as_json: bool) -> None:
    """Keep an account from logging in; its logins end at once.

    \b
    Example:
      connectomedb users disable alice --site mysite
    """
    _set_enabled(site, login, enabled=False, as_json=as_json)


@users_command.command("role")
@click.argument("login")
@click.argument("role")
@click.option("--take", is_flag=True, help="Take the role away.")
@common.site_option
@common.as_json_option
def role_command(login: str, role: str, take: bool, site: Path, as_json: bool) -> None:
    """Give an account a role: Administrator, Privileged, DataManager, non_expiring.

    \b
    Example:
      connectomedb users role alice Administrator --site mysite
    """
    with _archive(site) as archive:
        accounts = archive.people.accounts
        (accounts.take_role if take else accounts.give_role)(login, role)
        roles = accounts.roles(login)
    facts = {"login": login, "roles": list(roles)}
    common.emit(facts, as_json=as_json, text=f"{login}: {', '.join(roles) or 'no role'}")


@click.group("users", invoke_without_command=True)
@common.project_option
@common.site_option
@common.as_json_option
@click.pass_context
def project_users_command(context: click.Context, project: str | None, site: Path, as_json: bool) -> None:
    """List who is in a project; `add` and `remove` change it.

    \b
    Example:
      connectomedb projects users --project HCP_Q1 --site mysite
      connectomedb projects users add HCP_Q1 alice member --site mysite
    """
    if context.invoked_subcommand is not None:
        return
    name = common.project_name(project)
    with _archive(site) as archive:
        who = _operator()
        people = archive.people.members(archive.locate_project(name, who), who, disabled=True)
    rows = tuple((m.login, m.display_name, f"{m.firstname} {m.lastname}".strip(), m.email) for m in people)
    columns = tuple(Column(key) for key in ("login", "group", "name", "email"))
    common.emit_table(ResultTable(columns, rows), as_json=as_json)


@project_users_command.command("add")
@click.argument("project")
@click.argument("login")
@click.argument("group")
@common.site_option
@common.as_json_option
def add_person_command(project: str, login: str, group: str, site: Path, as_json: bool) -> None:
    """Put LOGIN into GROUP of PROJECT: owner, member, collaborator, or a group of its own.

    \b
    Example:
      connectomedb projects users add HCP_Q1 alice member --site mysite
    """
    with _archive(site) as archive:
        who = _operator()
        project = archive.locate_project(project, who)
        invited = archive.people.add_people(project, group, login, who)
    text = f"{login} was invited to {project}" if invited else f"{login} is {group} of {project}"
    facts = {"project": project, "login": login, "group": group, "invited": bool(invited)}
    common.emit(facts, as_json=as_json, text=text)


@project_users_command.command("remove")
@click.argument("project")
@click.argument("login")
@click.argument("group")
@common.site_option
@common.as_json_option
def remove_person_command(project: str, login: str, group: str, site: Path, as_json: bool) -> None:
    """Take LOGIN out of GROUP of PROJECT.

    \b
    Example:
      connectomedb projects users remove HCP_Q1 alice member --site mysite
    """
    with _archive(site) as archive:
        who = _operator()
        project = archive.locate_project(project, who)
        archive.people.remove_people(project, group, login, who)
    facts = {"project": project, "login": login, "group": group}
    common.emit(facts, as_json=as_json, text=f"{login} is no {group} of {project} any more")


@contextmanager
def _archive(site: Path) -> Iterator[Archive]:
    need_server_libraries()
    from connectomedb.store.site import open_site

    with open_site(common.existing_site(site)) as opened:
        yield opened.archive


def _operator() -> Principal:
    """Whoever holds the site's folder may do everything with it."""
    from connectomedb.vocabulary.records import Principal

    return Principal("operator", is_admin=True)


def _password(login: str, *, ask: bool) -> str:
    if ask:
        return str(click.prompt(f"Password of {login}", hide_input=True, confirmation_prompt=True, err=True))
    return secrets.token_urlsafe(_PASSWORD_BYTES)


def _say_password(login: str, password: str, text: str, *, asked: bool, as_json: bool) -> None:
    facts = {"login": login} | ({} if asked else {"password": password})
    if not asked:
        text += f"\npassword, shown this once: {password}"
    common.emit(facts, as_json=as_json, text=text)


def _set_enabled(site: Path, login: str, *, enabled: bool, as_json: bool) -> None:
    with _archive(site) as archive:
        archive.people.accounts.change(login, enabled=enabled)
    said = "may log in" if enabled else "may not log in"
    common.emit({"login": login, "enabled": enabled}, as_json=as_json, text=f"{login} {said}")
