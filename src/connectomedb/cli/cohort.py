"""Commands of cohorts: cohort list, lock, diff, cite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import common
from connectomedb.cli.images import question_options

if TYPE_CHECKING:
    from connectomedb.cohort_lock import CohortLock

_lock_file = click.argument("lock_file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group("cohort")
def cohort_command() -> None:
    """Who meets a question: listed, locked, compared, cited."""


@cohort_command.command("list")
@click.argument("expression", default="")
@common.server_options
@common.project_option
@click.option("--type", "data_type", default="nt:scores", help="Data type that EXPRESSION is about.")
@common.as_json_option
def list_labels(
    expression: str, server: str | None, user: str | None, project: str | None, data_type: str, as_json: bool
) -> None:
    """Print the labels of the subjects that meet EXPRESSION, a line each.

    \b
    Example:
      connectomedb cohort list 'NEOFAC_A > 40' --project HCP_Q1
    """
    with common.open_server(server, user) as connection:
        found = common.open_project(connection, project).cohort(expression, data_type)
    common.emit(list(found.labels), as_json=as_json, text="\n".join(found.labels))


@cohort_command.command("lock")
@question_options
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Write the lock to this file.",
)
@common.as_json_option
def lock(
    expression: str,
    server: str | None,
    user: str | None,
    project: str | None,
    data_type: str,
    package: str,
    run: str,
    kind: str,
    out: Path,
    as_json: bool,
) -> None:
    """Freeze who meets EXPRESSION now, and which objects are theirs, into a file that can be cited.

    \b
    Example:
      connectomedb cohort lock 'NEOFAC_A > 40' --project HCP_Q1 --package tfMRI_MOTOR_preproc --out my.json
    """
    from connectomedb.cohort_lock import write_lock

    with common.open_server(server, user) as connection:
        place = common.open_project(connection, project)
        made = place.lock(expression, data_type=data_type, package=package, run=run, kind=kind)
    write_lock(made, out)
    facts = {"file": str(out), "sha256": made.identity, "n_subjects": len(made.subjects)}
    text = f"{out}: {len(made.subjects)} subjects, {len(made.files)} files, sha256 {made.identity}"
    common.emit(
        facts | {"n_files": len(made.files), "size_bytes": made.size_bytes}, as_json=as_json, text=text
    )


@cohort_command.command("diff")
@_lock_file
@click.argument("other", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common.server_options
@common.as_json_option
@click.pass_context
def diff(
    ctx: click.Context,
    lock_file: Path,
    other: Path | None,
    server: str | None,
    user: str | None,
    as_json: bool,
) -> None:
    """Ask the question of LOCK_FILE again and say what differs; or compare it with the lock OTHER.

    Exit status 3 says that there are differences. Known issues of the fields and subjects are named.

    \b
    Example:
      connectomedb cohort diff my.lock.json
    """
    from connectomedb.cohort_lock import diff_locks, read_lock

    old = read_lock(lock_file)
    new = read_lock(other) if other else _asked_again(old, server, user)
    found = diff_locks(old, new)
    lines = found.lines()
    if found.same:
        lines.insert(0, "nothing differs")
    common.emit({"counts": found.counts, "lines": found.lines()}, as_json=as_json, text="\n".join(lines))
    ctx.exit(common.DONE if found.same else common.PARTLY)


def _asked_again(old: CohortLock, server: str | None, user: str | None) -> CohortLock:
    with common.open_server(server or old.server, user) as connection:
        place = connection.project(old.project)
        return place.lock(
            old.question, data_type=old.data_type, package=old.package, run=old.run, kind=old.kind
        )


@cohort_command.command("cite")
@_lock_file
@common.as_json_option
def cite(lock_file: Path, as_json: bool) -> None:
    """Print a sentence that names the cohort of LOCK_FILE in a paper.

    \b
    Example:
      connectomedb cohort cite my.lock.json
    """
    from connectomedb.cohort_lock import read_lock

    lock = read_lock(lock_file)
    common.emit({"citation": lock.cite(), "sha256": lock.identity}, as_json=as_json, text=lock.cite())
