"""The command `demo`: a synthetic site, the tutorial against it, and the verified download it promised."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from connectomedb.cli import common
from connectomedb.cli.site import need_server_libraries

if TYPE_CHECKING:
    from connectomedb.client.connection import Project
    from connectomedb.objects.report import TransferReport
    from connectomedb.store.site import Site
    from connectomedb.testing.report import ReportRow
    from connectomedb.testing.tutorial import StepResult

PROJECT, PACKAGE = "HCP_Q1", "tfMRI_MOTOR_preproc"
AGREEABLE, MEMORY = "NEOFAC_A > 40", "IWRD_TOT >= 30 and IWRD_TOT < 35"


@dataclass(slots=True)
class _Run:
    """What a demo found out, for the report and the exit status."""

    say: Any
    rows: list[ReportRow] = field(default_factory=list)
    transfers: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(row.ok for row in self.rows)

    def note(self, title: str, call: str, answer: str, ok: bool) -> None:
        from connectomedb.testing.report import ReportRow

        self.rows.append(ReportRow(title, call, answer, ok))
        mark = click.style("as printed", fg="green") if ok else click.style("DIFFERS", fg="red")
        self.say(f">>> {call}\n    {answer}\n    {title}: {mark}")


@click.command("demo")
@click.option("--serve", "keep_serving", is_flag=True, help="Keep serving afterwards, until Ctrl-C.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 picks a free one."
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the site and its files go.  [default: the user's cache folder]",
)
@click.option(
    "--release",
    type=click.Choice(["q1", "s1200"]),
    default="q1",
    show_default=True,
    help="Which synthetic site: the tutorial's 76 subjects, or 1,206 with the whole dictionary.",
)
@common.as_json_option
@click.pass_context
def demo_command(
    ctx: click.Context, keep_serving: bool, port: int, folder: Path | None, release: str, as_json: bool
) -> None:
    """Make a synthetic Q1 site, run the 2013 tutorial against it, fetch and verify files.

    Exit status 0 means that every answer was the printed one and every file was verified.

    \b
    Example:
      connectomedb demo
      connectomedb demo --serve --port 8080
      connectomedb demo --release s1200
    """
    need_server_libraries()
    from connectomedb.server.run import ServerThread
    from connectomedb.store.site import open_site

    if release == "s1200":
        from connectomedb.cli.demo_s1200 import run_s1200

        ok = run_s1200(
            folder or _default_folder() / "s1200", port=port, keep_serving=keep_serving, as_json=as_json
        )
        ctx.exit(common.DONE if ok else common.FAILED)
    place = folder or _default_folder()
    place.mkdir(parents=True, exist_ok=True)
    run = _Run(_silent if as_json else click.echo)
    started = time.monotonic()
    _prepare(place, run)
    with ExitStack() as stack:
        site: Site = open_site(place / "site")
        stack.callback(site.close)
        server = stack.enter_context(ServerThread(site, port))
        run.say(f"serving it at {server.url}\n")
        page = _tutorial_and_bridge(server.url, place, run)
        seconds = time.monotonic() - started
        n_right = sum(row.ok for row in run.rows)
        verdict = f"{n_right} of {len(run.rows)} answers right in {seconds:.0f} s; report: {page}"
        facts = {
            "ok": run.ok,
            "url": server.url,
            "report": str(page),
            "seconds": round(seconds, 1),
            "synthetic": True,
            "steps": [{"title": r.title, "call": r.call, "answer": r.answer, "ok": r.ok} for r in run.rows],
        }
        common.emit(facts, as_json=as_json, text=verdict)
        if keep_serving:
            _keep_serving(server.url, run)
    ctx.exit(common.DONE if run.ok else common.FAILED)


def _default_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("connectomedb") / "demo"


def _prepare(place: Path, run: _Run) -> None:
    """The mirror and the site, made or found whole."""
    from connectomedb.testing.mirror import ensure_mirror
    from connectomedb.testing.sample_site import build_site, is_whole

    run.say(f"SYNTHETIC sample data in {place}")
    facts, built = ensure_mirror(place / "mirror")
    made = "made" if built else "found"
    run.say(
        f"{made}: mirror of {facts.n_subjects} subjects, {facts.n_files} files, "
        f"{common.human_bytes(facts.size_bytes)}"
    )
    whole = not built and is_whole(place / "site", n_files=facts.n_files)
    if not whole:
        build_site(place / "site", mirror=str((place / "mirror").resolve()))
    run.say(f"{'found' if whole else 'made'}: site with 76 subjects and their scores")


def _tutorial_and_bridge(url: str, place: Path, run: _Run) -> Path:
    from connectomedb.client.connection import connect
    from connectomedb.client.interface import Interface
    from connectomedb.objects.stores import open_store
    from connectomedb.testing.report import write_report
    from connectomedb.testing.seed import answers, load_seed
    from connectomedb.testing.tutorial import run_steps

    def show(result: StepResult) -> None:
        run.note(result.step.title, result.step.call, _short(result.answer), result.ok)

    with Interface(url, "guest-reader", "reader-demo") as cdb:
        run_steps(cdb, open_store(place / "mirror"), show)
    derived = load_seed()["derived_answers"]
    with connect(url, "guest-reader", "reader-demo") as server:
        q1 = server.project(PROJECT)
        images = place / "images"
        shutil.rmtree(images, ignore_errors=True)
        expected = answers()["agreeableness_over_40"]["server_order"]
        _fetch(q1, AGREEABLE, images / "agreeable", expected, [], run)
        expected = answers()["cpw_30_to_34"]["labels_in_order"]
        absent = derived["cpw_30_to_34_missing_on_s3"]
        _fetch(q1, MEMORY, images / "memory", expected, absent, run)
        everybody = q1.search(columns=["NEOFAC_A"])
        cohort = q1.search(AGREEABLE, columns=["NEOFAC_A", "NEOFAC_C", "NEOFAC_E", "NEOFAC_N", "NEOFAC_O"])
    page = place / "report.html"
    text = write_report(run.rows, _numbers(everybody), _numbers(cohort), cohort, run.transfers)
    partial = page.with_name(".report.html.part")
    partial.write_text(text, "utf-8")
    partial.replace(page)
    return page


def _fetch(
    q1: Project, expression: str, folder: Path, expected: list[str], absent: list[str], run: _Run
) -> None:
    """From a question to verified files: who, which files, how many bytes, then all of them."""
    cohort = q1.cohort(expression)
    run.note(
        expression,
        f"q1.cohort({expression!r}).labels",
        _short(list(cohort.labels)),
        list(cohort.labels) == expected,
    )
    plan = q1.plan(cohort, folder, package=PACKAGE)
    run.say(f">>> plan = q1.plan(cohort, {folder.name!r}, package={PACKAGE!r})\n    {plan.summary()}")
    with common.TransferBar(folder.name) as progress:
        report = q1.download(plan, progress=progress)
    ok = _is_right(report, n_subjects=len(plan.subjects), wanted=len(expected) - len(absent), absent=absent)
    run.note(f"files of {expression}, verified", "q1.download(plan)", report.summary(), ok)
    run.transfers.append(
        f"{expression}: {plan.n_files} files, {common.human_bytes(report.fetched_bytes)}: {report.summary()}"
    )


def _is_right(report: TransferReport, *, n_subjects: int, wanted: int, absent: list[str]) -> bool:
    counts = report.counts
    all_verified = bool(counts) and set(counts) == {"verified"}
    return all_verified and n_subjects == wanted and sorted(report.absent_subjects) == sorted(absent)


def _keep_serving(url: str, run: _Run) -> None:
    run.say(
        f"\nstill serving at {url} (this machine only; Ctrl-C ends it)\n"
        "  reader         guest-reader / reader-demo\n  administrator  admin / admin-demo"
    )
    threading.Event().wait()


def _numbers(table: Any) -> list[int]:
    return [int(row[1]) for row in table.rows if row[1] is not None]


def _short(answer: object) -> str:
    text = repr(answer)
    if isinstance(answer, list) and len(text) > 150:
        return (
            f"{len(answer)} labels: {', '.join(map(str, answer[:4]))} … {answer[-1]}"
            if all(isinstance(a, str) for a in answer)
            else f"{text[:150]}…"
        )
    return text


def _silent(_text: str) -> None:
    return None
