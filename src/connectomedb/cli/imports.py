"""Commands that bring data into a site: import xml, import csv, import bids."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from connectomedb.cli import common
from connectomedb.cli.site import need_server_libraries
from connectomedb.errors import Conflict, ImportRefused
from connectomedb.vocabulary.records import Principal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectomedb.store.archive import Archive
    from connectomedb.store.ingest import Keep
    from connectomedb.store.report import IngestReport

F = TypeVar("F", bound=Callable[..., Any])
_SHOWN = 20


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
    """Bring documents, tables and BIDS folders into a site."""


def _how(command: F) -> F:
    """`--all-or-nothing`, `--keep-going`, `--update`, `--dry-run`, `--again`."""
    for option in (
        click.option(
            "--keep",
            "keep",
            flag_value="files",
            default=True,
            hidden=True,
            help="A file whole, or not at all.",
        ),
        click.option(
            "--all-or-nothing", "keep", flag_value="all", help="Nothing stays when anything is refused."
        ),
        click.option(
            "--keep-going", "keep", flag_value="rows", help="Store the fine rows of a file with refused ones."
        ),
        click.option(
            "--update", is_flag=True, help="Lay what is read over items that are there; empty says nothing."
        ),
        click.option("--dry-run", is_flag=True, help="Check everything and store nothing."),
        click.option("--again", is_flag=True, help="Read files that are in already once more."),
    ):
        command = option(command)
    return command


@import_command.command("bids")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@common.site_option
@click.option("--project", required=True, help="Project that will own the subjects; made if it is new.")
@common.as_json_option
def bids(folder: Path, site: Path, project: str, as_json: bool) -> int:
    """Read participants.tsv, phenotype/*.tsv and sessions with their dictionaries from FOLDER.

    \b
    Example:
      connectomedb import bids path/to/dataset --site mysite --project OURS
    """
    need_server_libraries()
    from connectomedb.store.ingest import import_bids
    from connectomedb.store.site import open_site

    with open_site(common.existing_site(site)) as opened:
        who = local_administrator()
        ensure_project(opened.archive, project, who)
        report = import_bids(opened.archive, folder, project=project, who=who, types_folder=site / "schemas")
    # Rows that a BIDS folder is wrong about are told, and no failure: the rest is whole.
    _tell(report, project, as_json=as_json, dry_run=False)
    return common.DONE


@import_command.command("xml")
@click.argument(
    "paths", metavar="PATH...", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True
)
@common.site_option
@click.option("--project", required=True, help="Project that owns what names no other; made if it is new.")
@_how
@common.as_json_option
def xml(
    paths: tuple[Path, ...],
    site: Path,
    project: str,
    keep: Keep,
    update: bool,
    dry_run: bool,
    again: bool,
    as_json: bool,
) -> int:
    """Store the project, subject and experiment documents of files, folders and archives.

    Each document is stored whole or not at all; what is refused is listed with file, line, path and reason.
    Start a killed import again: documents that are in are not read a second time. With --update a document
    about something that is there replaces what it says of it, and leaves the rest.

    \b
    Example:
      connectomedb import xml 100307_NonToolbox.xml --site mysite --project OURS
      connectomedb import xml exported/ more.zip --site mysite --project OURS --all-or-nothing
    """
    need_server_libraries()
    from connectomedb.store.ingest import import_xml
    from connectomedb.store.site import open_site

    with open_site(common.existing_site(site)) as opened, _reported() as told, _bar("documents") as show:
        told.report = import_xml(
            opened.archive,
            paths,
            project=project,
            who=local_administrator(),
            keep=keep,
            dry_run=dry_run,
            again=again,
            update=update,
            progress=show,
        )
    return _tell(told.report, project, as_json=as_json, dry_run=dry_run)


@import_command.command("csv")
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common.site_option
@click.option("--project", required=True, help="Project that owns the rows, or a template: '{site}'.")
@click.option("--type", "xsi_type", default="", help="Data type of the rows: nt:scores, xnat:subjectData.")
@click.option(
    "--new-type", default="", help="Make this type from the table and its dictionary: study:memory."
)
@click.option(
    "--dictionary",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Data dictionary in JSON, as beside BIDS tables.  [default: the table's name with .json, if there]",
)
@click.option("--subject-column", default="", help="Column that names the subject.  [default: Subject]")
@click.option("--label", default="{subject}_{type}", show_default=True, help="Label; also {n} and {COLUMN}.")
@click.option(
    "--missing", multiple=True, help="A spelling of a missing value; repeat it.  [default: n/a, NA]"
)
@click.option("--delimiter", default="", help="Between the cells.  [default: by the file's name or head]")
@click.option("--skip-column", "skip", multiple=True, help="Leave this column out; repeat it.")
@click.option("--make-subjects", is_flag=True, help="Make the subjects that are not there.")
@_how
@common.as_json_option
def csv(
    table: Path,
    site: Path,
    project: str,
    xsi_type: str,
    new_type: str,
    dictionary: Path | None,
    subject_column: str,
    label: str,
    missing: tuple[str, ...],
    delimiter: str,
    skip: tuple[str, ...],
    make_subjects: bool,
    keep: Keep,
    update: bool,
    dry_run: bool,
    again: bool,
    as_json: bool,
) -> int:
    """Store the rows of a comma- or tab-separated TABLE as items of one data type.

    Columns are found by element path, display id or dictionary name. The table is stored whole or not at all,
    unless --keep-going; what is refused is listed with line, column, value and reason.

    \b
    Example:
      connectomedb import csv scores.csv --type nt:scores --site mysite --project OURS
      connectomedb import csv memory.tsv --new-type study:memory --make-subjects --site mysite --project OURS
    """
    need_server_libraries()
    if bool(xsi_type) == bool(new_type):
        raise click.UsageError(
            "say which data type the rows are: --type nt:scores, or --new-type study:memory"
        )
    from connectomedb.store.ingest import TableOptions, import_table
    from connectomedb.store.site import open_site

    beside = table.with_suffix(".json")
    options = TableOptions(
        project,
        dictionary or (beside if beside.is_file() else None),
        subject_column,
        label,
        missing or None,
        delimiter.replace("\\t", "\t"),
        skip,
        make_subjects,
    )
    with open_site(common.existing_site(site)) as opened, _reported() as told, _bar("rows") as show:
        told.report = import_table(
            opened.archive,
            table,
            options,
            who=local_administrator(),
            xsi_type=xsi_type,
            new_type=new_type,
            types_folder=opened.types_folder,
            keep=keep,
            dry_run=dry_run,
            again=again,
            update=update,
            progress=show,
        )
    return _tell(told.report, project, as_json=as_json, dry_run=dry_run)


class _Told:
    report: IngestReport


@contextmanager
def _reported() -> Iterator[_Told]:
    """What an import did, also when it refused something."""
    told = _Told()
    try:
        yield told
    except ImportRefused as problem:
        told.report = problem.report


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int | None, str], None]]:
    """A bar on a terminal; elsewhere nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[file]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None, file="")
        yield lambda n_done, n_total, file: bar.update(
            task, completed=n_done, total=n_total, file=Path(file).name
        )


@contextmanager
def counting_bar(what: str) -> Iterator[Callable[[int], None]]:
    """A bar that counts what has no known end."""
    with _bar(what) as show:
        yield lambda n_done: show(n_done, None, "")


def _tell(report: IngestReport, project: str, *, as_json: bool, dry_run: bool) -> int:
    """Print what was stored and what was not; the exit status that says so."""
    facts = {
        "n_stored": report.n_stored,
        "ids": list(report.ids),
        "n_updated": report.n_updated,
        "n_known": report.n_known,
        "types": list(report.types),
        "refused": [
            {"file": r.file, "line": r.line, "column": r.column, "value": r.value, "reason": r.reason}
            for r in report.refused
        ],
    }
    lines = [f"{report.n_stored} items stored in {project}"]
    if report.n_updated:
        lines[0] += f", {report.n_updated} of them laid over what was there"
    if dry_run:
        lines = [f"dry run: nothing stored; {len(report.refused)} refused"]
    if report.n_known:
        lines.append(f"{report.n_known} files were in already; read them once more with --again")
    common.emit(facts, as_json=as_json, text="\n".join(lines))
    if not as_json:
        for refusal in report.refused[:_SHOWN]:
            click.echo(f"refused: {refusal}", err=True)
        if len(report.refused) > _SHOWN:
            click.echo(f"refused: {len(report.refused) - _SHOWN} more; --json lists all", err=True)
    if not report.refused:
        return common.DONE
    return common.PARTLY if report.n_stored else common.FAILED
