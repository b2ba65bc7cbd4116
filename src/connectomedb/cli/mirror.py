"""Commands of mirrors: mirror scan, mirror key, mirror address."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import common
from connectomedb.cli.imports import counting_bar, ensure_project, local_administrator
from connectomedb.cli.site import need_server_libraries
from connectomedb.errors import ConfigurationError

if TYPE_CHECKING:
    from connectomedb.objects.layouts import Layout
    from connectomedb.objects.layouts.model import RuledLayout
    from connectomedb.objects.listings import Listed

_layout_option = click.option(
    "--layout",
    required=True,
    metavar="NAME",
    help="How keys are laid out: hcp-q1, hcp-500, hcp-900, hcp-1200, bids, xnat, or your own FILE.toml.",
)


@click.group("mirror")
def mirror_command() -> None:
    """Make the files of an object store searchable."""


@mirror_command.command("scan")
@click.argument("url", default="")
@click.option(
    "--listing",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read this tab-separated listing (key, size, algorithm, digest; also .gz) instead of the store.",
)
@click.option("--inventory", metavar="URL", help="Read the S3 Inventory whose manifest.json is at URL (CSV).")
@click.option(
    "--annex",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Read the clone of a DataLad or git-annex dataset; its contents need not be there.",
)
@click.option("--prefix", default="", help="Only what lies below; for an inventory, where the mirror begins.")
@click.option(
    "--parallel", type=click.IntRange(1, 256), default=16, show_default=True, help="Subjects at a time."
)
@click.option("--restart", is_flag=True, help="Forget a listing that broke off.")
@_layout_option
@common.site_option
@click.option("--project", required=True, help="Project whose subjects the files belong to.")
@common.as_json_option
def scan(
    url: str,
    listing: Path | None,
    inventory: str | None,
    annex: Path | None,
    prefix: str,
    parallel: int,
    restart: bool,
    layout: str,
    site: Path,
    project: str,
    as_json: bool,
) -> None:
    """Read the listing of the store at URL into the site's file table, and say what changed since the last.

    A scan that breaks off goes on with the next subject when it is started again. With --listing,
    --inventory or --annex, URL is only noted as the place where the files are.

    \b
    Example:
      connectomedb mirror scan s3://bucket/prefix --layout hcp-1200 --site mysite --project OURS
      connectomedb mirror scan s3://openneuro.org/ds000030 --annex clone --layout bids --site ours --project P
    """
    need_server_libraries()
    from connectomedb.objects.layouts import find_layout
    from connectomedb.objects.scan import describe
    from connectomedb.store.site import open_site

    if sum(source is not None for source in (listing, inventory, annex)) > 1:
        raise click.UsageError("one of --listing, --inventory and --annex at a time")
    if not url and listing is None and inventory is None and annex is None:
        raise click.UsageError("give the URL of the store, or --listing FILE")
    known = find_layout(layout)
    opened = open_site(common.existing_site(site))
    try:
        ensure_project(opened.archive, project, local_administrator())
        spool = None
        if listing is None and inventory is None and annex is None:
            spool = _list_store(site, url, known, layout, prefix, parallel, restart=restart)
            listing = spool
        rows = describe(_listed(listing, inventory, annex, prefix), known)
        changes = opened.archive.add_files(project, url, rows, prefix="" if inventory else prefix)
        if spool is not None:
            spool.unlink()
    finally:
        opened.close()
    facts = {name: getattr(changes, name) for name in changes.__slots__}
    text = f"{changes.n_files} files of {project} are searchable: {changes}"
    common.emit(facts, as_json=as_json, text=text)


def _list_store(
    site: Path, url: str, layout: Layout, layout_name: str, prefix: str, parallel: int, *, restart: bool
) -> Path:
    """The store's listing as a table in the site's folder; one that broke off is gone on with."""
    from connectomedb.objects.scan import list_into
    from connectomedb.objects.stores import open_store

    told = hashlib.sha256(f"{url}\n{layout_name}\n{prefix}".encode()).hexdigest()[:16]
    spool = site / f"scan-{told}.tsv"
    if restart:
        spool.unlink(missing_ok=True)
    with counting_bar("objects") as show:
        n_known = list_into(spool, open_store(url), layout, prefix, parallel=parallel, progress=show)
    if n_known:
        click.echo(f"went on with a listing that broke off: {n_known} subjects were in it", err=True)
    return spool


def _listed(listing: Path | None, inventory: str | None, annex: Path | None, prefix: str) -> Iterator[Listed]:
    from connectomedb.objects.listings import read_annex, read_inventory, read_table
    from connectomedb.objects.stores import open_store

    if inventory is not None:
        folder, _, manifest = inventory.rpartition("/")
        return read_inventory(open_store(folder or "."), manifest, prefix=prefix)
    found = read_annex(annex) if annex is not None else read_table(listing or Path())
    return (one for one in found if one.key.startswith(prefix))


@mirror_command.command("key")
@click.argument("address")
@_layout_option
@common.as_json_option
def key(address: str, layout: str, as_json: bool) -> None:
    """Print the object key of a file whose ADDRESS in an archive you have, as old scripts hold it.

    \b
    Example:
      connectomedb mirror key --layout hcp-1200 $ADDRESS
    """
    from connectomedb.objects.layouts import hcp

    found = hcp.key_of_address(_hcp_layout(layout), address)
    if not found:
        raise ConfigurationError(
            f"{address!r} is no file of a subject: …/subjects/S/experiments/E/resources/R/files/PATH is one"
        )
    common.emit({"key": found}, as_json=as_json, text=found)


@mirror_command.command("address")
@click.argument("key")
@_layout_option
@click.option("--project", required=True, help="Project in the archive.")
@common.as_json_option
def address(key: str, layout: str, project: str, as_json: bool) -> None:
    """Print the address that an object has in an archive.

    \b
    Example:
      connectomedb mirror address --layout hcp-1200 --project HCP_1200 HCP_1200/100307/T1w/T1w_acpc_dc.nii.gz
    """
    from connectomedb.objects.layouts import hcp

    found = hcp.address_of_key(_hcp_layout(layout), key, project)
    if not found:
        raise ConfigurationError(f"{key!r} is the key of no subject in the layout {layout}")
    common.emit({"address": found}, as_json=as_json, text=found)


def _hcp_layout(name: str) -> RuledLayout:
    from connectomedb.objects.layouts import find_layout
    from connectomedb.objects.layouts.model import RuledLayout

    found = find_layout(name)
    if not name.startswith("hcp-") or not isinstance(found, RuledLayout):
        raise ConfigurationError(f"addresses of an archive are known for the layouts hcp-…, not for {name}")
    return found
