"""Commands of mirrors: mirror scan."""

from __future__ import annotations

from pathlib import Path

import click

from connectomedb.cli import common
from connectomedb.cli.imports import ensure_project, local_administrator
from connectomedb.cli.site import need_server_libraries


@click.group("mirror")
def mirror_command() -> None:
    """Make the files of an object store searchable."""


@mirror_command.command("scan")
@click.argument("url", default="")
@click.option(
    "--listing",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read this tab-separated listing instead of the store.",
)
@click.option("--layout", type=click.Choice(["hcp-q1", "bids"]), required=True, help="How keys are laid out.")
@common.site_option
@click.option("--project", required=True, help="Project whose subjects the files belong to.")
@common.as_json_option
def scan(url: str, listing: Path | None, layout: str, site: Path, project: str, as_json: bool) -> None:
    """Read the listing of the store at URL into the site's file table, replacing what was known of it.

    With --listing, URL is only noted as the place where the files are.

    \b
    Example:
      connectomedb mirror scan s3://bucket/prefix --layout bids --site mysite --project OURS
      connectomedb mirror scan --listing objects.tsv --layout bids --site mysite --project OURS
    """
    need_server_libraries()
    from connectomedb.objects.scan import read_listing, scan_store
    from connectomedb.objects.stores import open_store
    from connectomedb.store.site import open_site

    if not url and listing is None:
        raise click.UsageError("give the URL of the store, or --listing FILE")
    opened = open_site(common.existing_site(site))
    try:
        ensure_project(opened.archive, project, local_administrator())
        rows = read_listing(listing, layout) if listing else scan_store(open_store(url), layout)
        n_files = opened.archive.add_files(project, url, rows)
    finally:
        opened.close()
    common.emit({"n_files": n_files}, as_json=as_json, text=f"{n_files} files of {project} are searchable")
