"""Commands that ask a server: whoami, projects, subjects, experiments, fields, search."""

from __future__ import annotations

import click

from connectomedb.cli import common
from connectomedb.cli.people import project_users_command
from connectomedb.tables.result import Column, ResultTable


@click.command("whoami")
@common.server_options
@common.as_json_option
def whoami_command(server: str | None, user: str | None, as_json: bool) -> None:
    """Show who the server takes you for, and what it offers.

    \b
    Example:
      connectomedb whoami --server http://127.0.0.1:8080 --user guest-reader
    """
    core = common.open_core(server, user)
    try:
        login = core.send("GET", "/xapi/users/username").body.decode("utf-8").strip().strip('"')
        offer = core.offer()
        facts = {
            "login": login,
            "server": core.server,
            "version": offer.version,
            "features": list(offer.features),
            "synthetic": offer.synthetic,
        }
        note = " (synthetic data)" if offer.synthetic else ""
        common.emit(facts, as_json=as_json, text=f"{login} at {core.server}{note}")
    finally:
        core.close()


@click.group("projects", invoke_without_command=True)
@common.server_options
@common.as_json_option
@click.pass_context
def projects_command(context: click.Context, server: str | None, user: str | None, as_json: bool) -> None:
    """List the projects you may see; `users` says who is in one.

    \b
    Example:
      connectomedb projects --server http://127.0.0.1:8080
      connectomedb projects users --project HCP_Q1 --site mysite
    """
    if context.invoked_subcommand is not None:
        return
    with common.open_server(server, user) as connection:
        common.emit_table(connection.projects(), as_json=as_json)


projects_command.add_command(project_users_command)


@click.command("subjects")
@common.server_options
@common.project_option
@common.as_json_option
def subjects_command(server: str | None, user: str | None, project: str | None, as_json: bool) -> None:
    """List the subjects of a project: id and label.

    \b
    Example:
      connectomedb subjects --project HCP_Q1
    """
    with common.open_server(server, user) as connection:
        common.emit_table(common.open_project(connection, project).subjects(), as_json=as_json)


@click.command("experiments")
@common.server_options
@common.project_option
@click.option("--subject", help="Only those of this subject (id or label).")
@common.as_json_option
def experiments_command(
    server: str | None, user: str | None, project: str | None, subject: str | None, as_json: bool
) -> None:
    """List the experiments of a project or of one subject.

    \b
    Example:
      connectomedb experiments --project HCP_Q1 --subject 100307
    """
    with common.open_interface(server, user) as cdb:
        place = cdb.select.project(common.project_name(project))
        found = place.subject(subject).experiments() if subject else place.experiments()
        rows = tuple((e.id(), e.label(), e.datatype()) for e in found)
    columns = (Column("ID"), Column("label"), Column("xsiType"))
    common.emit_table(ResultTable(columns, rows), as_json=as_json)


@click.command("fields")
@click.argument("data_type")
@common.server_options
@common.as_json_option
def fields_command(data_type: str, server: str | None, user: str | None, as_json: bool) -> None:
    """List the search fields of DATA_TYPE.

    \b
    Example:
      connectomedb fields nt:scores
    """
    with common.open_interface(server, user) as cdb:
        rows = tuple((name,) for name in cdb.inspect.datatypes(data_type, "*"))
    common.emit_table(ResultTable((Column("field"),), rows), as_json=as_json)


@click.command("search")
@click.argument("expression", default="")
@common.server_options
@common.project_option
@click.option("--columns", default="", help="Columns of the answer, separated by commas.")
@click.option("--type", "data_type", default="nt:scores", show_default=True, help="Data type of the rows.")
@click.option("--explain", is_flag=True, help="Say what the question means instead of asking it.")
@common.as_json_option
def search_command(
    expression: str,
    server: str | None,
    user: str | None,
    project: str | None,
    columns: str,
    data_type: str,
    explain: bool,
    as_json: bool,
) -> None:
    """Ask which subjects meet EXPRESSION; without one, all do.

    \b
    Example:
      connectomedb search 'NEOFAC_A > 40 and IWRD_TOT >= 35' --project HCP_Q1 --columns NEOFAC_A,IWRD_TOT
    """
    wanted = [name.strip() for name in columns.split(",") if name.strip()]
    with common.open_server(server, user) as connection:
        place = common.open_project(connection, project)
        if explain:
            text = place.explain(expression, wanted, data_type)
            common.emit({"explanation": text}, as_json=as_json, text=text)
            return
        common.emit_table(place.search(expression, wanted, data_type), as_json=as_json)
