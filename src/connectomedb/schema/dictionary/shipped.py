"""The S1200 dictionary as shipped types: `s1200.tsv`, and the files that are generated from it.

`python -m connectomedb.schema.dictionary.shipped` writes `s1200.xsd` and the display documents anew.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from connectomedb.schema.dictionary.build import type_files
from connectomedb.schema.dictionary.write import TypeColumn, legal, merge_schemas
from connectomedb.schema.model import ValueType

NAMESPACE = "http://nrg.wustl.edu/hcp"
TITLES: Mapping[str, str] = {
    "hcp:demographics": "Subject information",
    "hcp:completion": "Study completion, sessions and quality",
    "hcp:health": "Health and family history",
    "hcp:alertness": "Alertness",
    "hcp:cognition": "Cognition",
    "hcp:emotion": "Emotion",
    "hcp:freesurfer": "FreeSurfer statistics",
    "hcp:taskPerformance": "In-scanner task performance",
    "hcp:motor": "Motor",
    "hcp:personality": "Personality",
    "hcp:psychiatric": "Psychiatric and life function",
    "hcp:sensory": "Sensory",
    "hcp:substanceUse": "Substance use",
}


@dataclass(frozen=True, slots=True)
class S1200Field:
    """One row of the table; `mean` and `sd` are what a generator aims at.

    They are published figures of the whole sample for the NEO, Penn and Toolbox scores, and plausible
    inventions for the rest: nothing about HCP may be concluded from them.
    """

    xsi_type: str
    category: str
    instrument: str
    column: TypeColumn
    mean: float | None
    sd: float | None


@cache
def s1200_fields() -> tuple[S1200Field, ...]:
    """Every field of the S1200 dictionary, in its order."""
    found: list[S1200Field] = []
    taken: dict[str, set[str]] = {}
    with (_folder() / "s1200.tsv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            used = taken.setdefault(row["xsi_type"], set())
            path = legal(row["field"], used)
            used.add(path.lower())
            is_label = row["type"] == "label"
            column = TypeColumn(
                row["field"],
                path,
                "string" if is_label else cast(ValueType, row["type"]),
                row["description"],
                row["unit"],
                row["min"],
                row["max"],
                row["tier"],
                levels=tuple(part for part in row["levels"].split("|") if part),
                built_in="subject_label" if is_label else "",
            )
            mean, sd = (float(row[k]) if row[k] else None for k in ("mean", "sd"))
            found.append(S1200Field(row["xsi_type"], row["category"], row["instrument"], column, mean, sd))
    return tuple(found)


def generated_files() -> dict[Path, bytes]:
    """Path and content of every file that the table gives."""
    made = {}
    parts = []
    for xsi_type, title in TITLES.items():
        columns = [f.column for f in s1200_fields() if f.xsi_type == xsi_type]
        files = type_files(xsi_type, NAMESPACE, columns, title)
        parts.append(files.xsd)
        made[_folder() / "display" / f"{xsi_type.replace(':', '_')}_display.xml"] = files.display
    made[_folder() / "s1200.xsd"] = merge_schemas("hcp", NAMESPACE, parts)
    return made


def _folder() -> Path:
    return Path(__file__).parent.parent / "types" / "hcp"


def main() -> None:
    """Write the files."""
    for path, content in generated_files().items():
        path.write_bytes(content)


if __name__ == "__main__":
    main()
