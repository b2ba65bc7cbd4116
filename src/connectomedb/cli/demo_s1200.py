"""The S1200 half of the command `demo`: the site of 1,206 synthetic people and questions to it."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from connectomedb.cli import common

if TYPE_CHECKING:
    from connectomedb.client.connection import Project
    from connectomedb.testing.s1200_questions import Question

GUEST, RESTRICTED = ("guest-reader", "reader-demo"), ("restricted-reader", "restricted-demo")


def run_s1200(place: Path, *, port: int, keep_serving: bool, as_json: bool) -> bool:
    """Make the site, ask the questions as an ordinary and as a restricted reader; True when all are right."""
    from connectomedb.client.connection import connect
    from connectomedb.server.run import ServerThread
    from connectomedb.store.site import open_site
    from connectomedb.testing.s1200 import N_SUBJECTS, PROJECT, build_s1200_site
    from connectomedb.testing.s1200_questions import QUESTIONS

    started = time.monotonic()
    steps: list[dict[str, object]] = []

    def say(text: str) -> None:
        if not as_json:
            click.echo(text)

    def note(title: str, call: str, answer: str, ok: bool) -> None:
        steps.append({"title": title, "call": call, "answer": answer, "ok": ok})
        mark = click.style("right", fg="green") if ok else click.style("WRONG", fg="red")
        say(f">>> {call}\n    {answer}\n    {title}: {mark}")

    say(f"SYNTHETIC sample data in {place}")
    place.mkdir(parents=True, exist_ok=True)
    build_s1200_site(place / "site", say)
    with open_site(place / "site") as site, ServerThread(site, port) as server:
        say(f"serving it at {server.url}\n")
        with connect(server.url, *GUEST) as ordinary, connect(server.url, *RESTRICTED) as restricted:
            n_subjects = len(ordinary.project(PROJECT).subjects())
            note("subjects", f"{PROJECT}.subjects()", f"{n_subjects} subjects", n_subjects == N_SUBJECTS)
            for question in QUESTIONS:
                call = f"cohort({question.expression!r}, {question.data_type!r})"
                if question.closed:
                    said = _refusal(ordinary.project(PROJECT), question)
                    note(
                        f"{question.title}: refused to an ordinary reader",
                        call,
                        said or "answered",
                        bool(said),
                    )
                asked = (restricted if question.closed else ordinary).project(PROJECT)
                labels = list(asked.cohort(question.expression, question.data_type).labels)
                note(question.title, call, f"{len(labels)} subjects", labels == question.expected())
        ok = all(step["ok"] for step in steps)
        seconds = time.monotonic() - started
        n_right = sum(bool(step["ok"]) for step in steps)
        facts = {"ok": ok, "url": server.url, "seconds": round(seconds, 1), "synthetic": True, "steps": steps}
        common.emit(
            facts, as_json=as_json, text=f"{n_right} of {len(steps)} answers right in {seconds:.0f} s"
        )
        if keep_serving:
            say(f"\nstill serving at {server.url} (this machine only; Ctrl-C ends it)")
            threading.Event().wait()
    return ok


def _refusal(project: Project, question: Question) -> str:
    from connectomedb.errors import AccessDenied

    try:
        project.cohort(question.expression, question.data_type)
    except AccessDenied as refused:
        return str(refused)
    return ""
