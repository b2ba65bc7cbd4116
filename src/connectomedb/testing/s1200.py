"""The synthetic S1200 site: 1,206 invented people in families, with every field of the S1200 dictionary.

The counts of people per modality are the release's, and means and SDs of the NEO, Penn and Toolbox scores
are published ones; every other number is a plausible invention. No value belongs to anybody, and nothing
about HCP may be concluded from it. Labels (`syn0001`) are none that a real participant has.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path
from random import Random

from connectomedb.schema.dictionary.shipped import S1200Field, s1200_fields
from connectomedb.schema.model import Item, Value
from connectomedb.testing.sample_site import NOTICE, OWNER, Progress, SampleAccount, SampleProject
from connectomedb.testing.scores import in_document_order, retest_scores

N_SUBJECTS, N_3T, N_7T, N_7T_FULL, N_MEG, N_QC, N_RETEST = 1206, 1113, 184, 175, 95, 157, 45
SITE_ID, TITLE = "SYNTHETIC", "ConnectomeDB S1200 sample site (SYNTHETIC data)"
PROJECT = "HCP_1200"
SEED = 20170301
PROJECTS = (
    SampleProject(OWNER, "HCP subjects (synthetic)", f"{NOTICE}. Owner of every subject of the sample site."),
    SampleProject(PROJECT, "HCP S1200 (synthetic)", f"{NOTICE}. All 1,206 subjects."),
    SampleProject("HCP_900", "HCP S900 (synthetic)", f"{NOTICE}. The subjects released before S1200."),
)
ACCOUNTS = (
    SampleAccount("admin", "admin-demo", is_admin=True),
    SampleAccount("guest-reader", "reader-demo", member_of=((PROJECT, "collaborator"),)),
    SampleAccount("restricted-reader", "restricted-demo", member_of=((PROJECT, "collaborator"),)),
)
_SEVEN_T = ("7T", "fMRI_Movie", "fMRI_Ret", "MOV", "RET", "REST_", "TR")
_WITH_IMAGES = ("hcp:freesurfer", "hcp:taskPerformance")
_BANDS = ((25, "22-25"), (30, "26-30"), (35, "31-35"), (99, "36+"))


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person: who they are, what was measured, and the family factor of their abilities."""

    number: int
    family: int
    gender: str
    age: int
    twin: str  # 'MZ', 'DZ' or ''
    ability: float
    has_3t: bool
    has_7t: bool
    full_7t: bool
    has_meg: bool
    has_issue: bool
    retested: bool

    @property
    def label(self) -> str:
        """`syn0001`."""
        return f"syn{self.number:04d}"

    @property
    def id(self) -> str:
        """`SYNTHETIC_S00001`."""
        return f"{SITE_ID}_S{self.number:05d}"

    @property
    def release(self) -> str:
        """Release in which the person first appeared."""
        names = ("Q1", "Q2", "Q3", "S500", "S900", "S1200")
        ends = (76, 150, 240, 543, 970, N_SUBJECTS)
        return next(name for name, end in zip(names, ends, strict=True) if self.number <= end)


@cache
def people() -> tuple[Person, ...]:
    """All of them, in the order of their labels; the same on every machine."""
    rng = Random(SEED)
    drawn: list[tuple[int, str, int, str, float]] = []
    family = 0
    while len(drawn) < N_SUBJECTS:
        family += 1
        size = min(rng.choices((1, 2, 3, 4, 5, 6), (9, 28, 35, 21, 5, 2))[0], N_SUBJECTS - len(drawn))
        twin = rng.choices(("MZ", "DZ", ""), (35, 40, 25))[0] if size > 1 else ""
        shared, first = rng.gauss(0, 1), (rng.choice("FFFFFFMMMMM"), rng.randint(22, 36))
        own = rng.gauss(0, 1)
        for member in range(size):
            is_twin = bool(twin) and member < 2
            gender, age = (rng.choice("FFFFFFMMMMM"), rng.randint(22, 36))
            if is_twin:
                gender, age = (first[0] if twin == "MZ" else gender), first[1]
            personal = own if is_twin and twin == "MZ" else rng.gauss(0, 1)
            ability = math.sqrt(0.45) * shared + math.sqrt(0.55) * personal
            drawn.append((family, gender, age, twin if is_twin else "", ability))
    numbers = list(range(1, N_SUBJECTS + 1))
    imaged = rng.sample(numbers, N_3T)
    seven = rng.sample(imaged, N_7T)
    full = set(rng.sample(seven, N_7T_FULL))
    meg, issue = set(rng.sample(imaged, N_MEG)), set(rng.sample(imaged, N_QC))
    retest, imaged_set, seven_set = set(rng.sample(imaged, N_RETEST)), set(imaged), set(seven)
    return tuple(
        Person(
            n,
            *facts,
            n in imaged_set,
            n in seven_set,
            n in full,
            n in meg,
            n in issue,
            n in retest,
        )
        for n, facts in zip(numbers, drawn, strict=True)
    )


@cache
def values_of(number: int) -> Mapping[str, Value]:
    """The values of one person by dictionary column; what was not measured is absent."""
    person = people()[number - 1]
    rng = Random(f"{SEED}:{number}")
    penn = retest_scores(f"s1200:{number}")
    stated = _stated(person, rng)
    found: dict[str, Value] = {}
    for field in s1200_fields():
        name = field.column.name
        if field.column.built_in:
            continue
        # Drawn always, so that what one field does never moves another's value.
        drawn = _draw(field, person, Random(f"{SEED}:{number}:{name}"))
        if name in stated:
            value = stated[name]
        elif name in penn:
            value = penn[name]
        else:
            value = drawn
        if value is not None and _was_measured(field, person):
            found[name] = value
    return found


def make_items() -> Iterator[Item]:
    """Every subject, then their experiments."""
    experiment = 0
    for person in people():
        yield Item(
            "xnat:subjectData",
            {
                "ID": person.id,
                "project": OWNER,
                "label": person.label,
                "demographics/gender": {"F": "female", "M": "male"}[person.gender],
            },
            _shares(person, person.label, "xnat:projectParticipant"),
        )
        for xsi_type, ending, values in _experiments(person):
            experiment += 1
            label = f"{person.label}_{ending}"
            head: dict[str, Value] = {
                "ID": f"{SITE_ID}_E{experiment:05d}",
                "project": OWNER,
                "label": label,
                "note": NOTICE,
                "subject_ID": person.id,
                "date": date(2012, 8, 1) + timedelta(days=person.number),
            }
            yield Item(xsi_type, head | values, _shares(person, label))


def build_s1200_site(folder: Path, progress: Progress | None = None) -> None:
    """Make the site in `folder`, replacing what is there; nothing half-made is seen under that name.

    Cost     about 20,000 documents, half a minute
    """
    from connectomedb.store.site import init_site

    say = progress or (lambda _step: None)
    building = folder.with_name(f".{folder.name}.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        with init_site(building, title=TITLE, site_id=SITE_ID, synthetic=True) as site:
            archive = site.archive
            for account in ACCOUNTS:
                archive.add_user(account.login, account.password, is_admin=account.is_admin)
            for project in PROJECTS:
                archive.add_project(
                    project.id, name=project.name, description=project.description, insert_user="admin"
                )
            for account in ACCOUNTS:
                for project_id, group in account.member_of:
                    archive.grant(project_id, account.login, group)
            say("storing 1,206 synthetic subjects")
            archive.store_items(make_items(), user="admin", project=OWNER)
            archive.grant_tier(PROJECT, "restricted-reader", "restricted")
            archive.accept_terms(archive.find_user("restricted-reader"), PROJECT, "restricted")
        if folder.exists():
            shutil.rmtree(folder)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _experiments(person: Person) -> Iterator[tuple[str, str, dict[str, Value]]]:
    if person.has_3t:
        yield "xnat:mrSessionData", "3T", {}
    penn = retest_scores(f"s1200:{person.number}")
    yield "nt:scores", "NonToolbox", dict(in_document_order(penn))
    values = values_of(person.number)
    by_type: dict[str, dict[str, Value]] = {}
    for field in s1200_fields():
        if field.column.name in values:
            by_type.setdefault(field.xsi_type, {})[field.column.path] = values[field.column.name]
    for xsi_type, found in by_type.items():
        yield xsi_type, xsi_type.partition(":")[2], found


def _shares(
    person: Person, label: str, entry_type: str = "xnat:experimentData_share"
) -> dict[str, tuple[Item, ...]]:
    projects = [PROJECT] if person.release == "S1200" else [PROJECT, "HCP_900"]
    return {"sharing/share": tuple(Item(entry_type, {"label": label, "project": p}) for p in projects)}


def _stated(person: Person, rng: Random) -> dict[str, Value | None]:
    """What follows from who the person is; None where it does not apply."""
    issues = sorted(rng.sample("ABCDE", rng.choice((1, 1, 1, 2))))
    height = round(rng.gauss(64.8 if person.gender == "F" else 70.2, 2.7))
    mass_index = min(max(rng.gauss(26.5, 5.1), 16.5), 47.5)
    stated: dict[str, Value | None] = {
        "Release": person.release,
        "Acquisition": f"Q{1 + (person.number - 1) * 13 // N_SUBJECTS:02d}",
        "Gender": person.gender,
        "Age": next(band for end, band in _BANDS if person.age <= end),
        "Age_in_Yrs": person.age,
        "ZygositySR": {"MZ": "MZ", "DZ": "NotMZ", "": "NotTwin"}[person.twin],
        "ZygosityGT": person.twin or None,
        "Family_ID": f"SYN_F{person.family:04d}",
        "Mother_ID": f"SYN_M{person.family:04d}",
        "Father_ID": f"SYN_D{person.family:04d}",
        "Height": height,
        "BMI": round(mass_index, 2),
        "Weight": round(mass_index * height * height / 703),
        "QC_Issue": ",".join(issues) if person.has_issue else None,
        "3T_Full_MR_Compl": person.has_3t and rng.random() < 0.8,
        "7T_Full_MR_Compl": person.full_7t,
        "MEG_AnyData": person.has_meg,
        "fMRI_3T_ReconVrs": "r177" if person.number < 200 else "r227",
        "dMRI_3T_ReconVrs": "r177" if person.number < 200 else "r227",
        "MRsession_Label_3T": f"{person.label}_3T",
        "MRsession_Label_7T": f"{person.label}_7T",
        "MEGsession_Label": f"{person.label}_MEG",
    }
    if not person.retested:
        stated["TestRetestInterval"] = None
    return stated


def _was_measured(field: S1200Field, person: Person) -> bool:
    name = field.column.name
    if field.xsi_type in _WITH_IMAGES:
        return person.has_3t
    if name in ("3T_Full_MR_Compl", "7T_Full_MR_Compl", "MEG_AnyData"):
        return True
    if name.startswith(_SEVEN_T) or name.endswith("_7T"):
        return person.has_7t
    if name.startswith(("MEG", "Alpha_Peak", "Beta_Peak")):
        return person.has_meg
    if name.startswith("Menstrual"):
        return person.gender == "F"
    if field.category == "MR Sessions" or "3T" in name or name.startswith(("T1_", "T2_", "fMRI_")):
        return person.has_3t
    return True


def _draw(field: S1200Field, person: Person, rng: Random) -> Value | None:
    """A value within the field's range, about its mean; cognition follows the person's ability."""
    c = field.column
    if c.levels:
        return rng.choice(c.levels)
    if c.value_type == "boolean":
        rare = field.category == "Substance Use"
        return rng.random() < (0.05 if rare else 0.95)
    if c.value_type == "time":
        return time((rng.randint(21, 25) if "Bed" in c.name else rng.randint(5, 9)) % 24, rng.choice((0, 30)))
    if field.mean is None or field.sd is None:
        return None
    weight = 0.6 if field.category == "Cognition" else 0.0
    z = weight * person.ability + math.sqrt(1 - weight * weight) * rng.gauss(0, 1)
    low, high = (float(bound) if bound else None for bound in (c.low, c.high))
    number = field.mean + field.sd * z
    number = max(number, low) if low is not None else number
    number = min(number, high) if high is not None else number
    return round(number) if c.value_type == "integer" else round(number, 3)
