"""What commands share: options, the connection to a server, and answers on the screen or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from connectomedb.errors import ConfigurationError
from connectomedb.settings import PASSWORD_VARIABLE, SettingValue, load_settings

if TYPE_CHECKING:
    from connectomedb.client.connection import Project, Server
    from connectomedb.client.core import Core
    from connectomedb.client.interface import Interface
    from connectomedb.objects.report import Progress, TransferReport
    from connectomedb.tables.result import ResultTable

F = TypeVar("F", bound=Callable[..., Any])
DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 3

as_json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for machines.")
site_option = click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    show_default=True,
    help="Folder of the site.",
)
project_option = click.option("--project", help="Project that is asked.")


def server_options(command: F) -> F:
    """`--server` and `--user`."""
    command = click.option("--user", help="Login name; the password comes from the environment or ~/.netrc.")(
        command
    )
    return click.option("--server", help="URL of the server.")(command)


def setting(name: str, argument: SettingValue | None = None) -> SettingValue:
    """A setting's value, the argument first."""
    return load_settings({name: argument})[name].value


def project_name(argument: str | None) -> str:
    """The project to ask; UsageError when nothing names one."""
    found = str(setting("project", argument))
    if not found:
        raise click.UsageError("say which project: --project HCP_Q1 (or set CONNECTOMEDB_PROJECT)")
    return found


def _who(server: str | None, user: str | None) -> tuple[str, str | None, str | None]:
    import os

    url, login = str(setting("server", server)), str(setting("user", user)) or None
    password = os.environ.get(PASSWORD_VARIABLE) if login else None
    if login and user and password is None and sys.stdin.isatty():
        password = click.prompt(f"Password of {login}", hide_input=True, err=True)
    return url, login, password


def open_server(server: str | None, user: str | None) -> Server:
    """Our connection to the server."""
    from connectomedb.client.connection import connect

    return connect(*_who(server, user))


def open_interface(server: str | None, user: str | None) -> Interface:
    """The pyxnat-like connection to the server."""
    from connectomedb.client.interface import Interface

    return Interface(*_who(server, user))


def open_core(server: str | None, user: str | None) -> Core:
    """The bare connection, for what has no name of its own."""
    from connectomedb.client.core import Core

    return Core(*_who(server, user))


def open_project(server: Server, project: str | None) -> Project:
    """A project of a connection."""
    return server.project(project_name(project))


def emit(value: object, *, as_json: bool, text: str) -> None:
    """`value` as JSON, or `text`."""
    click.echo(json.dumps(value, indent=2, default=str) if as_json else text)


def emit_table(table: ResultTable, *, as_json: bool) -> None:
    """A table: JSON, a drawn table on a terminal, tab-separated lines in a pipe."""
    if as_json:
        click.echo(json.dumps({"columns": list(table.keys), "rows": table.as_dicts()}, indent=2, default=str))
        return
    rows = [["" if cell is None else str(cell) for cell in row] for row in table.rows]
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        drawn = Table(caption=f"{len(rows)} rows")
        for key in table.keys:
            drawn.add_column(Text(key))
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        Console().print(drawn)
        return
    click.echo("\t".join(table.keys))
    for row in rows:
        click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))


def human_bytes(n_bytes: int) -> str:
    """`12.3 MB`."""
    size = float(n_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{n_bytes} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


class TransferBar:
    """A progress bar of a transfer, on a terminal; elsewhere it shows nothing."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not (console.is_terminal or console.is_jupyter),
        )
        self._title = title
        self._task = self._bar.add_task(title, total=None)

    def __enter__(self) -> Callable[[Progress], None]:
        self._bar.start()
        return self._show

    def __exit__(self, *_trouble: object) -> None:
        self._bar.stop()

    def _show(self, progress: Progress) -> None:
        said = f"{self._title} {progress.n_done}/{progress.n_files} files"
        self._bar.update(
            self._task, description=said, completed=progress.done_bytes, total=progress.total_bytes
        )


def transfer_status(report: TransferReport) -> int:
    """0 when all is here, 3 when some is, 1 when nothing is."""
    n_right = len(report.outcomes) - len(report.failures)
    if report.ok and not report.absent_subjects:
        return DONE
    return PARTLY if n_right else FAILED


def existing_site(folder: Path) -> Path:
    """The site's folder; ConfigurationError says how to make one."""
    if not (folder / "site.json").is_file():
        raise ConfigurationError(f"{folder} is no site folder; make one with: connectomedb init {folder}")
    return folder
