"""Commands about data types: list those of a server, show one, add some to a site's folder."""

from __future__ import annotations

from pathlib import Path

import click

from connectomedb.cli import common
from connectomedb.cli.site import need_server_libraries
from connectomedb.tables.result import Column, ResultTable


@click.group("types", invoke_without_command=True)
@common.server_options
@common.as_json_option
@click.pass_context
def types_command(context: click.Context, server: str | None, user: str | None, as_json: bool) -> None:
    """List the data types that can be searched; `add` and `show` say more of one.

    \b
    Example:
      connectomedb types
      connectomedb types show nt:scores
      connectomedb types add mood.xsd mood_display.xml --site mysite
    """
    if context.invoked_subcommand is not None:
        return
    with common.open_interface(server, user) as cdb:
        rows = tuple((name,) for name in cdb.inspect.datatypes())
    common.emit_table(ResultTable((Column("type"),), rows), as_json=as_json)


@types_command.command("show")
@click.argument("data_type")
@common.site_option
@common.as_json_option
def show_command(data_type: str, site: Path, as_json: bool) -> None:
    """Show the elements of DATA_TYPE as a site's schemas define them; without a site, the shipped ones.

    \b
    Example:
      connectomedb types show nt:scores
    """
    from connectomedb.schema.registry import load_types

    types = load_types([site / "schemas"])
    found = types.get(data_type)
    rows: tuple[tuple[str, ...], ...] = tuple(
        (f.path, f.value_type, "yes" if f.required else "", ", ".join(f.enumeration), f.documentation)
        for f in found.fields
    )
    rows += tuple((f"{m.path} *", m.item_type, "", "", "") for m in found.multiples)
    keys = ("element", "type", "required", "values", "meaning")
    table = ResultTable(tuple(Column(key) for key in keys), rows)
    common.emit_table(table, as_json=as_json)


@types_command.command("add")
@click.argument("xsd", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("displays", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common.site_option
@click.option("--replace", is_flag=True, help="Put the files in the place of those that are there.")
@click.option("--check", is_flag=True, help="Only say what would be added, or why it cannot be.")
@common.as_json_option
def add_command(
    xsd: Path, displays: tuple[Path, ...], site: Path, replace: bool, check: bool, as_json: bool
) -> None:
    """Add the data types of XSD, with their DISPLAYS documents, to a site.

    Everything is read together with the types that are there before anything is written. A running server
    takes new types when it is started again.

    \b
    Example:
      connectomedb types add mood.xsd mood_display.xml --site mysite
    """
    need_server_libraries()
    from connectomedb.schema.additions import add_types
    from connectomedb.store.site import open_site

    with open_site(common.existing_site(site)) as opened:
        # The tables grow first: a schema that stored values contradict is refused before it is written.
        accept = None if check else opened.archive.use_types
        added = add_types(opened.types_folder, xsd, displays, replace=replace, accept=accept)
    facts = {
        "types": list(added.types),
        "root_elements": list(added.roots),
        "files": [str(path) for path in added.files],
        "written": not check,
    }
    what = ", ".join(added.types) or "no new type"
    text = (
        f"would add {what}"
        if check
        else f"added {what}; start the server again, a running one keeps the types that it began with"
    )
    common.emit(facts, as_json=as_json, text=text)
