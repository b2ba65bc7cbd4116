"""Commands from an answer to its images: files, plan, get, verify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from connectomedb.cli import common
from connectomedb.errors import ConfigurationError, TransferError

if TYPE_CHECKING:
    from connectomedb.client.connection import Project, Who
    from connectomedb.objects.plan import TransferPlan
    from connectomedb.tables.result import ResultTable

F = TypeVar("F", bound=Callable[..., Any])
_EXPORTS = ("s5cmd", "rclone", "aws", "aria2")


@dataclass(frozen=True, slots=True)
class Question:
    """Whose files, and which."""

    expression: str
    server: str | None
    user: str | None
    project: str | None
    subjects: str
    data_type: str
    package: str
    run: str
    kind: str


@dataclass(frozen=True, slots=True)
class Destination:
    """Which of the files are moved, and where they go."""

    folder: str | None
    layout: str
    cache: str | None
    cache_way: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    exclude_package: tuple[str, ...]
    smallest: str
    largest: str


_FILES = (
    click.option("--kind", default="", help="Only files of this kind, e.g. dtseries."),
    click.option("--run", default="", help="Only files of this run, e.g. tfMRI_MOTOR_LR."),
    click.option("--package", default="", help="Only files of these packages, separated by commas."),
    click.option("--type", "data_type", default="nt:scores", help="Data type that EXPRESSION is about."),
)
_PLACE = (common.project_option, common.server_options, click.argument("expression", default=""))
_QUESTION = (
    *_FILES,
    click.option("--subjects", default="", help="Labels separated by commas, instead of EXPRESSION."),
    *_PLACE,
)
_DESTINATION = (
    click.option("--largest", default="", metavar="SIZE", help="Only files up to this size, e.g. 500M."),
    click.option(
        "--smallest", default="", metavar="SIZE", help="Only files of at least this size, e.g. 10k."
    ),
    click.option("--exclude-package", multiple=True, help="No files of this package."),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="No files whose key is of this form."),
    click.option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Only files whose key is of this form: * in a folder, ** across folders.",
    ),
    click.option(
        "--cache-way",
        type=click.Choice(["copy", "link"]),
        default="copy",
        show_default=True,
        help="Whether files of the cache are copied, or are one file under two names.",
    ),
    click.option("--cache", help="Folder of files by digest, shared between cohorts."),
    click.option(
        "--layout", default="", help="Where files go, e.g. {subject}/{package}/{name}; default: keys."
    ),
    click.option("--folder", help="Where the files go."),
)


def question_options(command: F) -> F:
    """The options of a command that asks for files by a question alone."""
    for option in (*_FILES, *_PLACE):
        command = option(command)
    return command


def _gathered(shape: type[Any], options: tuple[Callable[[Any], Any], ...], name: str) -> Callable[[F], F]:
    """Give a command these options as one value of `shape`, under the name `name`."""

    def decorate(command: F) -> F:
        @wraps(command)
        def call(*args: Any, **given: Any) -> Any:
            mine = {key: given.pop(key) for key in shape.__slots__}
            return command(*args, **given, **{name: shape(**mine)})

        wrapped: Any = call
        for option in options:
            wrapped = option(wrapped)
        return cast("F", wrapped)

    return decorate


_question = _gathered(Question, _QUESTION, "question")
_destination = _gathered(Destination, _DESTINATION, "to")


@click.command("files")
@_question
@common.as_json_option
def files_command(question: Question, as_json: bool) -> None:
    """List the files that the mirror holds for the subjects that meet EXPRESSION.

    \b
    Example:
      connectomedb files 'NEOFAC_A > 40' --project HCP_Q1 --package tfMRI_MOTOR_preproc --kind dtseries
    """
    with common.open_server(question.server, question.user) as connection:
        place = common.open_project(connection, question.project)
        common.emit_table(_files(place, question, _who(place, question)), as_json=as_json)


@click.command("plan")
@_question
@_destination
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan to this file.")
@click.option("--export", "tool", type=click.Choice(_EXPORTS), help="Print the moves for this tool instead.")
@common.as_json_option
def plan_command(
    question: Question, to: Destination, save: Path | None, tool: str | None, as_json: bool
) -> None:
    """Say what fetching the files of the subjects that meet EXPRESSION would move; nothing is fetched.

    \b
    Example:
      connectomedb plan 'NEOFAC_A > 40' --project HCP_Q1 --package tfMRI_MOTOR_preproc --save motor.json
    """
    plan = _plan(question, to)
    if save is not None:
        _write(save, plan.to_json())
    if tool is not None:
        from connectomedb.objects.stores import open_store

        click.echo(plan.export(tool, open_store(plan.location) if tool == "aria2" else None), nl=False)
    else:
        click.echo(plan.to_json() if as_json else plan.summary())


@click.command("get")
@_question
@_destination
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Run this saved plan.",
)
@click.option(
    "--locked",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Fetch what this cohort lock holds, and nothing else.",
)
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan to this file.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what became of every file to this file, as JSON.",
)
@click.option(
    "--part", metavar="I/N", help="Only the I-th of N parts of the plan, for a task of a job array."
)
@click.option(
    "--dry-run", is_flag=True, help="Say what would be moved and how much room it needs; move nothing."
)
@click.option("--parallel", type=click.IntRange(1, 64), help="Files fetched at the same time.")
@common.as_json_option
@click.pass_context
def get_command(
    ctx: click.Context,
    question: Question,
    to: Destination,
    plan_file: Path | None,
    locked: Path | None,
    save: Path | None,
    report_file: Path | None,
    part: str | None,
    dry_run: bool,
    parallel: int | None,
    as_json: bool,
) -> None:
    """Fetch the files of the subjects that meet EXPRESSION, and verify every one.

    The same command goes on after an interruption. Exit status 3 says that some files or subjects are not
    there; they are named.

    \b
    Example:
      connectomedb get 'NEOFAC_A > 40' --project HCP_Q1 --package tfMRI_MOTOR_preproc --folder motor
    """
    from connectomedb.cohort_lock import read_lock
    from connectomedb.objects.cache import ContentCache
    from connectomedb.objects.plan import plan_again
    from connectomedb.objects.transfer import run_plan

    if (plan_file is not None or locked is not None) and (question.expression or question.subjects):
        raise click.UsageError("give either --plan or --locked, or EXPRESSION or --subjects, not both")
    if plan_file is not None:
        plan = plan_again(_read_plan(plan_file), cache=to.cache or "")
    elif locked is not None:
        plan = read_lock(locked).plan(str(common.setting("folder", to.folder)))
        plan = plan_again(plan, cache=to.cache or "") if to.cache else plan
    else:
        plan = _plan(question, to)
    if save is not None:
        _write(save, plan.to_json())
    if part is not None:
        plan = _part(plan, part)
    if dry_run:
        space = plan.space()
        facts: dict[str, Any] = {
            "n_files": plan.n_files,
            "actions": plan.actions,
            "size_bytes": plan.size_bytes,
            "to_move_bytes": plan.to_move_bytes,
            "needed_bytes": space.needed_bytes,
            "free_bytes": space.free_bytes,
            "absent_subjects": list(plan.absent_subjects),
        }
        common.emit(facts, as_json=as_json, text=plan.summary())
        ctx.exit(common.DONE if space.enough else common.FAILED)
    cache = ContentCache(to.cache, "link" if to.cache_way == "link" else "copy") if to.cache else None
    with common.TransferBar("fetching") as show:
        report = run_plan(
            plan, parallel=int(common.setting("parallel", parallel)), progress=show, cache=cache
        )
    if report_file is not None:
        _write(report_file, report.to_json())
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
@click.argument("place", type=click.Path(path_type=Path, exists=True), required=False)
@click.option("--repair", is_flag=True, help="Fetch what is missing or mismatched, and look again.")
@click.option("--parallel", type=click.IntRange(1, 64), help="Files read or fetched at the same time.")
@common.as_json_option
@click.pass_context
def verify_command(
    ctx: click.Context, place: Path | None, repair: bool, parallel: int | None, as_json: bool
) -> None:
    """Read fetched files again and compare them with what was promised.

    PLACE is a folder that files were fetched into, or a saved plan. Files are verified, mismatched, missing,
    extra (nobody promised them), or uncovered (right size, and no digest to compare). Exit status 3 says that
    some are mismatched or missing, 1 that all are; extra and uncovered ones are named and do not count.

    \b
    Example:
      connectomedb verify motor
      connectomedb verify motor --repair
    """
    from connectomedb.objects.transfer import run_plan
    from connectomedb.objects.verify import plans_of, repair_folder, verify_folder

    n_parallel = int(common.setting("parallel", parallel))
    found = place if place is not None else Path(str(common.setting("folder")))
    if found.is_dir():
        folder, plans = found, plans_of(found)
    else:
        plans = (_read_plan(found),)
        folder = Path(plans[0].folder)
    with common.TransferBar("verifying") as show:
        report = verify_folder(folder, plans, parallel=n_parallel, progress=show)
    if repair and not report.ok:
        with common.TransferBar("repairing") as show:
            repaired = repair_folder(
                folder, report, plans, run=lambda p: run_plan(p, parallel=n_parallel, progress=show)
            )
        for outcome in (o for r in repaired for o in r.failures):
            click.echo(f"{outcome.status}: {outcome.file.key}: {outcome.error}", err=True)
        report = verify_folder(folder, plans, parallel=n_parallel)
    named = [v for v in report.verdicts if v.status != "verified"]
    facts = {
        "counts": report.counts,
        "wrong": [{"target": v.target, "status": v.status} for v in report.wrong],
        "named": [{"target": v.target, "status": v.status, "detail": v.detail} for v in named],
    }
    common.emit(facts, as_json=as_json, text=report.summary())
    for verdict in named:
        click.echo(f"{verdict.status}: {verdict.target}: {verdict.detail}", err=True)
    if not report.ok:
        n_promised = sum(v.status != "extra" for v in report.verdicts)
        ctx.exit(common.FAILED if len(report.wrong) == n_promised else common.PARTLY)


def _part(plan: TransferPlan, text: str) -> TransferPlan:
    """The part that a task of a job array moves; without files where there are more tasks than subjects."""
    number, _, n = text.partition("/")
    if not (number.isdigit() and n.isdigit() and 1 <= int(number) <= int(n)):
        raise click.UsageError(f"--part {text!r}: write 3/10 for the third of ten")
    parts = plan.split(int(n))
    return (
        parts[int(number) - 1] if int(number) <= len(parts) else replace(plan, files=(), absent_subjects=())
    )


def _who(project: Project, question: Question) -> Who:
    if question.subjects and question.expression:
        raise click.UsageError("give either EXPRESSION or --subjects, not both")
    if question.subjects:
        return [label.strip() for label in question.subjects.split(",") if label.strip()]
    return project.cohort(question.expression, question.data_type)


def _files(project: Project, question: Question, who: Who) -> ResultTable:
    """The files of every package that is named; the server says when it knows none of a name."""
    packages = list(dict.fromkeys(p.strip() for p in question.package.split(",") if p.strip())) or [""]
    tables = [project.files(who, package=p, run=question.run, kind=question.kind) for p in packages]
    return replace(tables[0], rows=tuple(row for table in tables for row in table.rows))


def _plan(question: Question, to: Destination) -> TransferPlan:
    from connectomedb.bridge import plan_from_table
    from connectomedb.client.connection import labels_of
    from connectomedb.objects.select import select

    selection = select(
        include=to.include,
        exclude=to.exclude,
        unwanted_packages=to.exclude_package,
        smallest=to.smallest,
        largest=to.largest,
    )
    with common.open_server(question.server, question.user) as connection:
        place = common.open_project(connection, question.project)
        who = _who(place, question)
        return plan_from_table(
            _files(place, question, who),
            str(common.setting("folder", to.folder)),
            subjects_wanted=labels_of(who),
            selection=selection,
            layout=to.layout,
            cache=to.cache or "",
        )


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
