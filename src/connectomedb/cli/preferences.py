"""The command `settings`."""

from __future__ import annotations

import click

from connectomedb.cli import common
from connectomedb.settings import load_settings
from connectomedb.tables.result import Column, ResultTable


@click.command("settings")
@common.as_json_option
def settings_command(as_json: bool) -> None:
    """Show every setting, its value, and the layer that gave it.

    \b
    Example:
      CONNECTOMEDB_PARALLEL=16 connectomedb settings
    """
    names = ("setting", "value", "from", "variable", "meaning")
    rows = tuple(
        (name, f.value, f.layer, f.setting.variable, f.setting.help) for name, f in load_settings().items()
    )
    common.emit_table(ResultTable(tuple(Column(n) for n in names), rows), as_json=as_json)
