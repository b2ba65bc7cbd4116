"""Commands from an answer to its images: files, plan, get, verify."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from connectomedb.cli import common
from connectomedb.errors import ConfigurationError, TransferError

if TYPE_CHECKING:
    from connectomedb.client.connection import Project, Who
    from connectomedb.objects.plan import TransferPlan

F = TypeVar("F", bound=Callable[..., Any])


def _question(command: F) -> F:
    for option in (
        click.option("--kind", default="", help="Only files of this kind, e.g. dtseries."),
        click.option("--run", default="", help="Only files of this run, e.g. tfMRI_MOTOR_LR."),
        click.option("--package", default="", help="Only files of this package, e.g. tfMRI_MOTOR_preproc."),
        click.option("--type", "data_type", default="nt:scores", help="Data type that EXPRESSION is about."),
        click.option("--subjects", default="", help="Labels separated by commas, instead of EXPRESSION."),
        common.project_option,
        common.server_options,
        click.argument("expression", default=""),
    ):
        command = option(command)
    return command


def _subjects(project: Project, expression: str, subjects: str, data_type: str) -> Who:
    if subjects and expression:
        raise click.UsageError("give either EXPRESSION or --subjects, not both")
    if subjects:
        return [label.strip() for label in subjects.split(",") if label.strip()]
    return project.cohort(expression, data_type)


@click.command("files")
@_question
@common.as_json_option
def files_command(
    expression: str,
    server: str | None,
    user: str | None,
    project: str | None,
    subjects: str,
    data_type: str,
    package: str,
    run: str,
    kind: str,
    as_json: bool,
) -> None:
    """List the files that the mirror holds for the subjects that meet EXPRESSION.

    \b
    Example:
      connectomedb files 'NEOFAC_A > 40' --project HCP_Q1 --package tfMRI_MOTOR_preproc --kind dtseries
    """
    with common.open_server(server, user) as connection:
        place = common.open_project(connection, project)
        who = _subjects(place, expression, subjects, data_type)
        common.emit_table(place.files(who, package=package, run=run, kind=kind), as_json=as_json)


@click.command("plan")
@_question
@click.option("--folder", help="Where the files would go.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan to this file.")
@click.option("--s5cmd", is_flag=True, help="Print lines for `s5cmd run` instead of the summary.")
@common.as_json_option
def plan_command(
    expression: str,
    server: str | None,
    user: str | None,
    project: str | None,
    subjects: str,
    data_type: str,
    package: str,
    run: str,
    kind: str,
    folder: str | None,
    save: Path | None,
    s5cmd: bool,
    as_json: bool,
) -> None:
    """Say what fetching the files of the subjects that meet EXPRESSION would move; nothing is fetched.

    \b
    Example:
      connectomedb plan 'NEOFAC_A > 40' --project HCP_Q1 --package tfMRI_MOTOR_preproc --save motor.json
    """
    with common.open_server(server, user) as connection:
        place = common.open_project(connection, project)
        who = _subjects(place, expression, subjects, data_type)
        target = str(common.setting("folder", folder))
        plan = place.plan(who, target, package=package, run=run, kind=kind)
    if save is not None:
        _write(save, plan.to_json())
    if s5cmd:
        click.echo(plan.export("s5cmd"), nl=False)
    else:
        click.echo(plan.to_json() if as_json else plan.summary())


@click.command("get")
@_question
@click.option("--folder", help="Where the files go.")
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Run this saved plan.",
)
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan to this file.")
@click.option("--parallel", type=click.IntRange(1, 64), help="Files fetched at the same time.")
@common.as_json_option
@click.pass_context
def get_command(
    ctx: click.Context,
    expression: str,
    server: str | None,
    user: str | None,
    project: str | None,
    subjects: str,
    data_type: str,
    package: str,
    run: str,
    kind: str,
    folder: str | None,
    plan_file: Path | None,
    save: Path | None,
    parallel: int | None,
    as_json: bool,
) -> None:
    """Fetch the files of the subjects that meet EXPRESSION, and verify every one.

    Exit status 3 says that some files or subjects are not there; they are named.

    \b
    Example:
      connectomedb get 'NEOFAC_A > 40' --project HCP_Q1 --package tfMRI_MOTOR_preproc --folder motor
    """
    from connectomedb.objects.transfer import run_plan

    if plan_file is not None:
        plan = _read_plan(plan_file)
    else:
        with common.open_server(server, user) as connection:
            place = common.open_project(connection, project)
            who = _subjects(place, expression, subjects, data_type)
            target = str(common.setting("folder", folder))
            plan = place.plan(who, target, package=package, run=run, kind=kind)
    if save is not None:
        _write(save, plan.to_json())
    with common.TransferBar("fetching") as show:
        report = run_plan(plan, parallel=int(common.setting("parallel", parallel)), progress=show)
    facts = {
        "counts": report.counts,
        "fetched_bytes": report.fetched_bytes,
        "absent_subjects": list(report.absent_subjects),
        "failures": [{"key": o.file.key, "status": o.status, "error": str(o.error)} for o in report.failures],
    }
    common.emit(facts, as_json=as_json, text=report.summary())
    for outcome in report.failures:
        click.echo(f"{outcome.status}: {outcome.file.key}: {outcome.error}", err=True)
    ctx.exit(common.transfer_status(report))


@click.command("verify")
@click.argument("plan_file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@common.as_json_option
@click.pass_context
def verify_command(ctx: click.Context, plan_file: Path, as_json: bool) -> None:
    """Check fetched files against the plan in PLAN_FILE: size and digest of every file.

    \b
    Example:
      connectomedb verify motor.json
    """
    from connectomedb.objects.verify import verify_file

    plan = _read_plan(plan_file)
    root = Path(plan.folder)
    verdicts = [
        verify_file(root / f.target, f.target, f.size_bytes, f.algorithm, f.digest) for f in plan.files
    ]
    counts: dict[str, int] = {}
    for verdict in verdicts:
        counts[verdict.status] = counts.get(verdict.status, 0) + 1
    wrong = [v for v in verdicts if v.status not in ("verified", "uncovered")]
    facts = {"counts": counts, "wrong": [{"target": v.target, "status": v.status} for v in wrong]}
    summary = ", ".join(f"{n} {status}" for status, n in counts.items()) or "no files"
    common.emit(facts, as_json=as_json, text=summary)
    for verdict in wrong:
        click.echo(f"{verdict.status}: {verdict.target}", err=True)
    if wrong:
        ctx.exit(common.FAILED if len(wrong) == len(verdicts) else common.PARTLY)


def _read_plan(path: Path) -> TransferPlan:
    from connectomedb.objects.plan import TransferPlan

    try:
        return TransferPlan.from_json(path.read_text("utf-8"))
    except (TransferError, UnicodeDecodeError) as problem:
        raise ConfigurationError(f"{path} is no saved plan: {problem}") from problem


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, "utf-8")
    partial.replace(path)
