"""Every public name of pyxnat has a line in the table of the docs, and what the line says is so."""

from __future__ import annotations

import csv
import importlib
import inspect
import warnings
from pathlib import Path
from typing import Any

import pytest

from connectomedb.client import (
    array,
    attributes,
    elements,
    hierarchy,
    inspector,
    interface,
    manage,
    people,
    prearchive,
    provenance,
    resources,
    search,
)
from connectomedb.tables import jsontable

TABLE = Path(__file__).parents[3] / "docs" / "pyxnat_names.tsv"
# Modules of pyxnat with names that its users call.
MODULES = (
    "array",
    "attributes",
    "help",
    "interfaces",
    "jsonutil",
    "manage",
    "provenance",
    "resources",
    "schema",
    "search",
    "select",
    "users",
    "xpath_store",
)
# What theirs is called here, where that is another name.
OURS: dict[str, type[Any]] = {
    "ArrayData": array.ArrayData,
    "EAttrs": attributes.Attributes,
    "EObject": elements.Element,
    "CObject": elements.Collection,
    "Inspector": inspector.Inspector,
    "Interface": interface.Interface,
    "Select": interface.Select,
    "JsonTable": jsontable.JsonTable,
    "GlobalManager": manage.Manager,
    "SearchManager": manage.SearchManager,
    "Search": search.Search,
    "Users": people.Users,
    "PreArchive": prearchive.PreArchive,
    "Provenance": provenance.Provenance,
    "In_Resource": resources.InResource,
    "Out_Resource": resources.OutResource,
    "In_File": resources.File,
    "Out_File": resources.File,
    "Resource": resources.Resource,
    "File": resources.File,
    **{
        name: getattr(hierarchy, name)
        for name in ("Project", "Subject", "Experiment", "Assessor", "Reconstruction", "Scan")
    },
    **dict.fromkeys(
        (
            *("Projects", "Subjects", "Experiments", "Assessors", "Reconstructions", "Scans", "Resources"),
            *("In_Resources", "Out_Resources", "Files", "In_Files", "Out_Files"),
        ),
        elements.Collection,
    ),
}


def rows() -> dict[str, tuple[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as source:
        return {row["name"]: (row["here"], row["why"]) for row in csv.DictReader(source, delimiter="\t")}


def theirs() -> set[str]:
    """`Class.name` of every public method that pyxnat's modules define."""
    found = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs to mend
        for name in MODULES:
            module = importlib.import_module(f"pyxnat.core.{name}")
            for kind in vars(module).values():
                if inspect.isclass(kind) and kind.__module__ == module.__name__:
                    found |= {
                        f"{kind.__name__}.{one}"
                        for one, value in vars(kind).items()
                        if not one.startswith("_") and (callable(value) or isinstance(value, property))
                    }
    return found


def test_no_name_is_forgotten() -> None:
    assert theirs() == set(rows())


@pytest.mark.parametrize(("name", "said"), sorted(rows().items()))
def test_what_the_table_says_is_so(name: str, said: tuple[str, str]) -> None:
    here, why = said
    kind, _, attribute = name.partition(".")
    assert here in ("same", "better", "left out")
    assert bool(why) == (here != "same"), "say how it is better, or why it is left out"
    held = OURS.get(kind)
    assert (held is not None and hasattr(held, attribute)) == (here != "left out")
