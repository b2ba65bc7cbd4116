"""What a display field may compute beyond its elements: the names, and what each stands for.

The store has one builder per name (`store.computed`); a test compares the two lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connectomedb.schema.model import ValueType


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One computation: its meaning in words, how many arguments it takes, the type it gives if only one."""

    meaning: str
    least: int = 0
    most: int = 0
    value_type: ValueType | None = None


AGES: Mapping[str, str] = {
    "stated": "age said of the experiment",
    "demographics": "age said of the subject",
    "birthday": "full years from birth to the day",
    "days": "days from birth to the day, divided by 365",
    "exact": "days from birth to the day, divided by 365.25",
    "year": "year of the day less year of birth",
}
SCAN_LEAVES = ("type", "series_description", "series_class")
SCAN_MATCHES = ("equal", "contains")
PROJECT_SETTINGS = ("quarantine_code", "prearchive_code")

BUILT_INS: Mapping[str, BuiltIn] = {
    "value": BuiltIn("the value that stands beside the name"),
    "label": BuiltIn("label, else ID"),
    "subject_label": BuiltIn("label of the subject, else its ID"),
    "session_label": BuiltIn("label of the imaging session, else its ID"),
    "session_id": BuiltIn("ID of the imaging session"),
    "subject_id": BuiltIn("ID of the subject"),
    "key": BuiltIn("key of the part on this site", value_type="integer"),
    "project": BuiltIn("project that owns the item"),
    "projects": BuiltIn("every project of the item, the owner first"),
    "all_labels": BuiltIn("own label, then the labels of the shares"),
    "shared_label": BuiltIn("label of the first share"),
    "label_in_project": BuiltIn("label in the project named"),
    "insert_date": BuiltIn("time of storing", value_type="dateTime"),
    "insert_user": BuiltIn("who stored it"),
    "last_modified": BuiltIn("time of the last change, else of storing", value_type="dateTime"),
    "uri": BuiltIn("address of the item"),
    "age": BuiltIn("age, by the first way that gives one", 1, len(AGES)),
    "field_map": BuiltIn("custom variable named"),
    "count": BuiltIn("number of items of the type", 0, 1, "integer"),
    "count_in_project": BuiltIn("number of items of the type in the project named", 1, 1, "integer"),
    "scan_count": BuiltIn("number of scans", 2, 20, "integer"),
    "scan_summary": BuiltIn("scan types with their numbers"),
    "file_count": BuiltIn(
        "number of the subject's files of the kind, run or package named", value_type="integer"
    ),
    "file_bytes": BuiltIn(
        "bytes of the subject's files of the kind, run or package named", value_type="integer"
    ),
    "project_access": BuiltIn("accessibility of the project"),
    "project_users": BuiltIn("logins of the project's users", 0, 1),
    "project_investigators": BuiltIn("principal investigator, then the others"),
    "project_setting": BuiltIn("setting of the project", 1, 1, "integer"),
    "user_role": BuiltIn("group of the user in the project"),
    "last_accessed": BuiltIn("when the user last opened the project", value_type="dateTime"),
    "project_last_access": BuiltIn("when the project was last opened by anybody", value_type="dateTime"),
    "project_favorite": BuiltIn("who asks keeps the project as a favourite"),
    "last_workflow": BuiltIn("status of the latest workflow"),
}


def meaning(expression: tuple[str, ...]) -> str:
    """An expression in words, for people who choose fields."""
    name, *arguments = expression
    if name == "age":
        return ", else ".join(AGES[way] for way in arguments)
    if name == "scan_count" and len(arguments) > 2:
        return f"number of scans whose {arguments[0]} is {' '.join(arguments[2:])}"
    if name == "scan_count":
        verb = "is" if arguments[1] == "equal" else "contains"
        return f"number of scans whose {arguments[0]} {verb} the value"
    said = BUILT_INS[name].meaning if name in BUILT_INS else name
    return f"{said} ({' '.join(arguments)})" if arguments else said


def value_type_of(expression: tuple[str, ...]) -> ValueType | None:
    """The type that a built-in gives whatever its document says; None when it has no say."""
    name, *arguments = expression
    if name == "age":
        return "float" if "exact" in arguments else "integer"
    return BUILT_INS[name].value_type if name in BUILT_INS else None


def problem_of(expression: tuple[str, ...]) -> str:
    """Why an expression cannot be computed by its name and arguments; '' when it can."""
    name, *arguments = expression
    known = BUILT_INS.get(name)
    if known is None:
        return f"the built-in {name!r} does not exist; there are: {', '.join(BUILT_INS)}"
    if not known.least <= len(arguments) <= known.most:
        return f"the built-in {name} takes {known.least} to {known.most} arguments, not {len(arguments)}"
    if name == "age" and (wrong := [a for a in arguments if a not in AGES]):
        return f"{wrong[0]!r} is no way to an age; there are: {', '.join(AGES)}"
    if name == "scan_count" and (arguments[0] not in SCAN_LEAVES or arguments[1] not in SCAN_MATCHES):
        return f"scan_count counts by {', '.join(SCAN_LEAVES)}, {' or '.join(SCAN_MATCHES)}"
    if name == "project_setting" and arguments[0] not in PROJECT_SETTINGS:
        return f"{arguments[0]!r} is no setting of a project; there are: {', '.join(PROJECT_SETTINGS)}"
    return ""
