"""The 2013 tutorial as values: each step with the call a reader types, how it is run, and its printed answer.

Answers are compared by label, as a set where only the set matters; nothing here prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectomedb.testing.seed import answers

if TYPE_CHECKING:
    from connectomedb.client.hierarchy import Experiment
    from connectomedb.client.interface import Interface
    from connectomedb.objects.stores import ObjectStore
    from connectomedb.tables.jsontable import JsonTable

PROJECT = "HCP_Q1"
IN_Q1 = ("nt:scores/PROJECTS", "LIKE", "%HCP_Q1%")
_NEO = tuple(f"NEO_NEOFAC_{factor}" for factor in "ACENO")


@dataclass(slots=True)
class Desk:
    """What the steps share: the connection, the mirror, and labels by subject id once they are known."""

    cdb: Interface
    mirror: ObjectStore
    _labels: dict[str, str] = field(default_factory=dict)

    def labels_by_id(self) -> dict[str, str]:
        """Every subject's label, asked for once."""
        if not self._labels:
            subjects = self.cdb.select.project(PROJECT).subjects()
            self._labels.update((s.id(), s.label()) for s in subjects)
        return self._labels

    def labels_where(self, *constraints: object) -> list[str]:
        """Labels of the subjects whose scores meet the constraints, in the server's order."""
        table = self.cdb.select("nt:scores", ["nt:scores/SUBJECT_ID"]).where(list(constraints))
        known = self.labels_by_id()
        return [known[str(row[0])] for row in table.items()]


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the tutorial and its reference answer."""

    number: int
    title: str
    call: str
    run: Callable[[Desk], object]
    expected: object


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step answered."""

    step: Step
    answer: object

    @property
    def ok(self) -> bool:
        return self.answer == self.step.expected


def steps() -> tuple[Step, ...]:
    """The steps in the order of the tutorial."""
    known = answers()
    neo = known["neo_by_label"]
    return (
        Step(
            1, "projects that an ordinary account sees", "cdb.select.projects().get()", _projects, ["HCP_Q1"]
        ),
        Step(
            2,
            "labels of the 76 subjects",
            "[s.label() for s in cdb.select.project('HCP_Q1').subjects()]",
            lambda desk: list(desk.labels_by_id().values()),
            known["subjects_in_order"],
        ),
        Step(
            3,
            "site-wide id of 100307",
            "q1.subject('100307').id()",
            lambda desk: desk.cdb.select.project(PROJECT).subject("100307").id(),
            known["first_subject_id"],
        ),
        Step(
            4,
            "experiments of 100307",
            "[e.label() for e in q1.subject('100307').experiments()]",
            lambda desk: [
                e.label() for e in desk.cdb.select.project(PROJECT).subject("100307").experiments()
            ],
            known["experiments_of_100307_in_order"],
        ),
        Step(
            5,
            "the score document and its id",
            "q1.subject('100307').experiment('100307_NonToolbox').id()",
            lambda desk: _scores(desk).id(),
            known["experiment_ids_known"]["100307_NonToolbox"],
        ),
        Step(
            6,
            "one value of the document",
            "scores.xpath('nt:ER40/nt:ER40_CR')[0].text",
            lambda desk: [e.text for e in _scores(desk).xpath("nt:ER40/nt:ER40_CR")],
            ["39"],
        ),
        Step(
            7,
            "emotion recognition of 100307",
            "[(e.tag, e.text) for e in scores.xpath('nt:ER40/*')]",
            lambda desk: [[str(e.tag).rsplit("}", 1)[-1], e.text] for e in _scores(desk).xpath("nt:ER40/*")],
            known["er40_of_100307_in_order"],
        ),
        Step(
            8,
            "the NEO table: rows, columns",
            "cdb.select('nt:scores', fields).where([('nt:scores/PROJECTS', 'LIKE', '%HCP_Q1%')])",
            lambda desk: [len(_neo_table(desk).items()), len(_neo_table(desk).headers())],
            known["neo_search"]["shape"],
        ),
        Step(
            9,
            "its columns and first rows",
            "neo.headers(), neo.items()[:2]",
            lambda desk: [_neo_table(desk).headers(), [list(r) for r in _neo_table(desk).items()[:2]]],
            [known["neo_search"]["headers"], known["neo_search"]["first_rows"]],
        ),
        Step(
            10,
            "the NEO scores of 143325 by label",
            "dict(zip(neo.headers()[1:], row_of_143325))",
            lambda desk: _neo_by_label(desk)["143325"],
            neo["143325"],
        ),
        Step(
            11,
            "agreeableness over 40",
            "….where([in_q1, ('nt:scores/NEO_NEOFAC_A', '>', '40'), 'AND'])",
            lambda desk: desk.labels_where(IN_Q1, ("nt:scores/NEO_NEOFAC_A", ">", "40"), "AND"),
            known["agreeableness_over_40"]["server_order"],
        ),
        Step(
            12,
            "word memory 30 to 34",
            "….where([in_q1, ('nt:scores/CPW_IWRD_TOT', '>=', '30'), (…, '<', '35'), 'AND'])",
            lambda desk: desk.labels_where(
                IN_Q1, ("nt:scores/CPW_IWRD_TOT", ">=", "30"), ("nt:scores/CPW_IWRD_TOT", "<", "35"), "AND"
            ),
            known["cpw_30_to_34"]["labels_in_order"],
        ),
        Step(
            13,
            "word memory below 30 or from 35 up",
            "….where([in_q1, [(…, '<', '30'), (…, '>=', '35'), 'OR'], 'AND'])",
            lambda desk: desk.labels_where(
                IN_Q1,
                [("nt:scores/CPW_IWRD_TOT", "<", "30"), ("nt:scores/CPW_IWRD_TOT", ">=", "35"), "OR"],
                "AND",
            ),
            known["cpw_below_30_or_35_up"]["labels_in_order"],
        ),
        Step(
            14,
            "subjects on the mirror",
            "[p.split('/')[1] for p in mirror.list_level('q1/')[1]]",
            lambda desk: sorted(p.split("/")[1] for p in desk.mirror.list_level("q1/")[1]),
            sorted(known["s3"]["subject_prefixes"]),
        ),
        Step(
            15,
            "folders of 100307 on the mirror",
            "mirror.list_level('q1/100307/')[1]",
            lambda desk: sorted(desk.mirror.list_level("q1/100307/")[1]),
            sorted(known["s3"]["list_q1_100307_slash"]),
        ),
    )


def run_steps(
    cdb: Interface, mirror: ObjectStore, each: Callable[[StepResult], None] | None = None
) -> tuple[StepResult, ...]:
    """Run every step on one connection and store; their trouble is raised, a wrong answer is a result."""
    desk = Desk(cdb, mirror)
    results = []
    for step in steps():
        result = StepResult(step, step.run(desk))
        results.append(result)
        if each is not None:
            each(result)
    return tuple(results)


def _projects(desk: Desk) -> list[str]:
    return list(desk.cdb.select.projects().get())


def _scores(desk: Desk) -> Experiment:
    return desk.cdb.select.project(PROJECT).subject("100307").experiment("100307_NonToolbox")


def _neo_table(desk: Desk) -> JsonTable:
    fields = ["nt:scores/SUBJECT_ID", *(f"nt:scores/{name}" for name in _NEO)]
    return desk.cdb.select("nt:scores", fields).where([IN_Q1])


def _neo_by_label(desk: Desk) -> dict[str, dict[str, str]]:
    table = _neo_table(desk)
    heads = table.headers()[1:]
    known = desk.labels_by_id()
    return {known[str(row[0])]: dict(zip(heads, row[1:], strict=True)) for row in table.items()}
