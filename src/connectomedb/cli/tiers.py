"""Commands about tiers: what one holds, accepting terms, and, for administrators, who is granted what."""

from __future__ import annotations

import json
from pathlib import Path

import click

from connectomedb.cli import common
from connectomedb.errors import ServerFault
from connectomedb.vocabulary.uris import join_uri

_tier = click.argument("tier")
_login = click.argument("login")


@click.group("tiers", invoke_without_command=True)
@common.server_options
@common.as_json_option
@click.pass_context
def tiers_command(context: click.Context, server: str | None, user: str | None, as_json: bool) -> None:
    """List the tiers of fields that you were granted, or whose terms you accepted.

    \b
    Example:
      connectomedb tiers
      connectomedb tiers accept restricted --project HCP_Q1
      connectomedb tiers grant restricted guest-reader --project HCP_Q1
      connectomedb tiers withdraw restricted guest-reader --project HCP_Q1
    """
    if context.invoked_subcommand is None:
        _show("/data/terms", server, user, as_json=as_json)


@tiers_command.command("who")
@common.server_options
@common.project_option
@common.as_json_option
def who_command(server: str | None, user: str | None, project: str | None, as_json: bool) -> None:
    """List who was granted tiers of a project, and who accepted its terms; for administrators.

    \b
    Example:
      connectomedb tiers who --project HCP_Q1 --user admin
    """
    _show(join_uri("/data/projects", common.project_name(project), "tiers"), server, user, as_json=as_json)


@tiers_command.command("terms")
@_tier
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@common.server_options
@common.project_option
@common.as_json_option
def terms_command(
    tier: str, file: Path | None, server: str | None, user: str | None, project: str | None, as_json: bool
) -> None:
    """Show the terms of TIER in a project; with FILE an administrator gives it new ones.

    Everybody has to accept new terms anew.

    \b
    Example:
      connectomedb tiers terms restricted --project HCP_Q1
      connectomedb tiers terms restricted terms.txt --project HCP_Q1 --user admin
    """
    place = join_uri("/data/projects", common.project_name(project), "terms", tier)
    core = common.open_core(server, user)
    try:
        method, body = ("GET", b"") if file is None else ("POST", file.read_bytes())
        text = core.send(method, place, body=body).body.decode("utf-8")
    finally:
        core.close()
    common.emit({"tier": tier, "terms": text}, as_json=as_json, text=text)


@tiers_command.command("accept")
@_tier
@common.server_options
@common.project_option
@common.as_json_option
def accept_command(
    tier: str, server: str | None, user: str | None, project: str | None, as_json: bool
) -> None:
    """Accept the terms of TIER in a project, with today's date.

    \b
    Example:
      connectomedb tiers accept restricted --project HCP_Q1
    """
    place = join_uri("/data/projects", common.project_name(project), "terms", tier)
    facts = _change("PUT", place, server, user)
    then = (
        "you hold it" if facts["holds"] == "true" else "it was not granted to you yet; ask an administrator"
    )
    common.emit(facts, as_json=as_json, text=f"accepted the terms of {tier} in {facts['project']}; {then}")


@tiers_command.command("grant")
@_tier
@_login
@common.server_options
@common.project_option
@common.as_json_option
def grant_command(
    tier: str, login: str, server: str | None, user: str | None, project: str | None, as_json: bool
) -> None:
    """Let LOGIN hold TIER in a project once they accept its terms; for administrators.

    \b
    Example:
      connectomedb tiers grant restricted guest-reader --project HCP_Q1 --user admin
    """
    facts = _change("PUT", _place(project, tier, login), server, user)
    accepted = "the terms are accepted" if facts.get("accepted") else "they have to accept the terms first"
    common.emit(facts, as_json=as_json, text=f"granted {tier} in {facts['project']} to {login}; {accepted}")


@tiers_command.command("withdraw")
@_tier
@_login
@common.server_options
@common.project_option
@common.as_json_option
def withdraw_command(
    tier: str, login: str, server: str | None, user: str | None, project: str | None, as_json: bool
) -> None:
    """Take TIER in a project back from LOGIN, at once; for administrators.

    \b
    Example:
      connectomedb tiers withdraw restricted guest-reader --project HCP_Q1 --user admin
    """
    facts = _change("DELETE", _place(project, tier, login), server, user)
    common.emit(facts, as_json=as_json, text=f"{login} does not hold {tier} in {facts['project']} any more")


def _place(project: str | None, tier: str, login: str) -> str:
    return join_uri("/data/projects", common.project_name(project), "tiers", tier, "users", login)


def _show(place: str, server: str | None, user: str | None, *, as_json: bool) -> None:
    from connectomedb.tables.formats import read_csv

    core = common.open_core(server, user)
    try:
        table = read_csv(core.send("GET", place, {"format": "csv"}).body)
    finally:
        core.close()
    common.emit_table(table, as_json=as_json)


def _change(method: str, place: str, server: str | None, user: str | None) -> dict[str, str]:
    core = common.open_core(server, user)
    try:
        found: dict[str, str] = json.loads(core.send(method, place).body)
    except ValueError as problem:
        raise ServerFault("the answer about the tier cannot be read", url=core.server) from problem
    finally:
        core.close()
    return found
