"""Commands that bring data into a site: import bids, import xml."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import common
from connectomedb.cli.site import need_server_libraries
from connectomedb.errors import Conflict, DocumentError, NotValid
from connectomedb.vocabulary.records import Principal

if TYPE_CHECKING:
    from connectomedb.store.archive import Archive


def local_administrator() -> Principal:
    """Whoever can write the site's folder is its administrator here."""
    return Principal(getpass.getuser(), 0, is_admin=True)


def ensure_project(archive: Archive, project: str, who: Principal) -> None:
    """Make the project unless it is there."""
    try:
        archive.add_project(project, insert_user=who.login)
    except Conflict:
        return


@click.group("import")
def import_command() -> None:
    """Bring BIDS folders and experiment documents into a site."""


@import_command.command("bids")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@common.site_option
@click.option("--project", required=True, help="Project that will own the subjects; made if it is new.")
@common.as_json_option
def bids(folder: Path, site: Path, project: str, as_json: bool) -> None:
    """Read participants.tsv and phenotype/*.tsv with their dictionaries from FOLDER.

    \b
    Example:
      connectomedb import bids path/to/dataset --site mysite --project OURS
    """
    need_server_libraries()
    from connectomedb.store.ingest import import_bids
    from connectomedb.store.site import open_site

    opened = open_site(common.existing_site(site))
    who = local_administrator()
    try:
        ensure_project(opened.archive, project, who)
        report = import_bids(opened.archive, folder, project=project, who=who, types_folder=site / "schemas")
    finally:
        opened.close()
    common.emit(
        {"n_stored": report.n_stored}, as_json=as_json, text=f"{report.n_stored} items stored in {project}"
    )


@import_command.command("xml")
@click.argument(
    "documents", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True
)
@common.site_option
@click.option("--project", required=True, help="Project that will own what names no other.")
@common.as_json_option
def xml(documents: tuple[Path, ...], site: Path, project: str, as_json: bool) -> None:
    """Store subject and experiment DOCUMENTS: all of them, or none when one is not valid.

    \b
    Example:
      connectomedb import xml 100307_NonToolbox.xml --site mysite --project OURS
    """
    need_server_libraries()
    from connectomedb.schema.documents import read_document
    from connectomedb.store.site import open_site

    opened = open_site(common.existing_site(site))
    who = local_administrator()
    items, reasons = [], []
    try:
        for path in documents:
            try:
                items.append(read_document(path.read_bytes(), opened.archive.types))
            except DocumentError as problem:
                reasons.append(f"{path}: {problem}")
        if reasons:
            raise NotValid(reasons)
        ensure_project(opened.archive, project, who)
        report = opened.archive.store_items(items, user=who.login, project=project)
    finally:
        opened.close()
    facts = {"n_stored": report.n_stored, "ids": list(report.ids)}
    common.emit(facts, as_json=as_json, text=f"{report.n_stored} items stored in {project}")
