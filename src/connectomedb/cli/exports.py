"""The command that takes data out of a site: export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connectomedb.cli import common
from connectomedb.cli.imports import local_administrator
from connectomedb.cli.site import need_server_libraries

if TYPE_CHECKING:
    from connectomedb.store.export import Format

_FORMATS = ("xml", "csv", "bids", "parquet")


@click.command("export")
@click.argument("site", type=click.Path(path_type=Path, file_okay=False), default=Path("."))
@click.option("--project", required=True, help="Project that is exported.")
@click.option("--format", "kind", type=click.Choice(_FORMATS), default="xml", show_default=True)
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="New folder to write.")
@click.option("--user", default="", help="Export what this account sees.  [default: everything]")
@common.as_json_option
def export_command(site: Path, project: str, kind: Format, folder: Path, user: str, as_json: bool) -> int:
    """Write a project of SITE as a folder: XML documents, CSV with dictionaries, BIDS or Parquet.

    XML holds what the project owns and can be imported again to the same site; tables hold what it shows.

    \b
    Example:
      connectomedb export mysite --project OURS --format xml --to ours-xml
      connectomedb export mysite --project OURS --format csv --to ours-csv --user guest-reader
    """
    need_server_libraries()
    from connectomedb.store.site import open_site

    with open_site(common.existing_site(site)) as opened, _counter(kind) as show:
        who = opened.archive.find_user(user) if user else local_administrator()
        report = opened.archive.export(project, folder, kind, who, synthetic=opened.synthetic, progress=show)
    facts = {
        "folder": str(folder),
        "n_written": report.n_written,
        "left_out": list(report.left_out),
        "synthetic": opened.synthetic,
    }
    what = "documents" if kind == "xml" else "rows"
    lines = [f"{report.n_written} {what} written to {folder}" + (" (SYNTHETIC)" if opened.synthetic else "")]
    lines += [f"not in these tables: {part} (--format xml has it)" for part in report.left_out]
    common.emit(facts, as_json=as_json, text="\n".join(lines))
    return common.DONE


def _counter(kind: str) -> Any:
    from connectomedb.cli.imports import counting_bar

    return counting_bar("documents" if kind == "xml" else "rows")
