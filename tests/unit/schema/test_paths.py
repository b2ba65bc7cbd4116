"""Schema paths: what they name, and what is said of those that name nothing."""

from __future__ import annotations

import pytest

from connectomedb.errors import UnknownDataType, UnknownField
from connectomedb.schema.paths import Part, Selector
from connectomedb.schema.registry import load_types

TYPES = load_types()
SESSION, SUBJECT = "xnat:mrSessionData", "xnat:subjectData"


@pytest.mark.parametrize(
    ("xsi_type", "path", "found"),
    [
        ("nt:scores", "NEO/NEOFAC_A", "NEO/NEOFAC_A"),
        ("NT:Scores", "neo.neofac_a", "NEO/NEOFAC_A"),
        ("nt:scores", "subject_ID", "subject_ID"),
        (SESSION, "@label", "label"),
        (SESSION, "scanner/@model", "scanner/model"),
        (SESSION, "scanner.model", "scanner/model"),
        (SESSION, "date", "date"),
        (SUBJECT, "demographics/gender", "demographics/gender"),
        (SUBJECT, "demographics[@xsi:type=xnat:demographicData]/age", "demographics/age"),
        (SUBJECT, "demographics[@xsi:type=xnat:demographicData].age", "demographics/age"),
        (SUBJECT, "meta/insert_date", "meta/insert_date"),
    ],
)
def test_a_path_names_one_leaf(xsi_type: str, path: str, found: str) -> None:
    address = TYPES.address(xsi_type, path)
    assert (address.path, address.element.path, address.parts) == (found, found, ())


def test_a_path_leads_into_a_repeated_part() -> None:
    address = TYPES.address(SESSION, "scans/scan/ID")
    assert address.path == "scans/scan/ID"
    assert address.parts == (Part("scans/scan", "xnat:imageScanData"),)
    assert address.element.path == "ID"


def test_the_text_of_a_repeated_part_has_its_name() -> None:
    for path in ("fields/field/field", "fields/field"):
        assert TYPES.address(SESSION, path).path == "fields/field/field"
    assert TYPES.address(SUBJECT, "addID").path == "addID/addID"


@pytest.mark.parametrize("bracket", ["[name=visit_no]", "[@name='visit_no']"])
def test_a_bracket_picks_one_entry(bracket: str) -> None:
    address = TYPES.address(SESSION, f"fields/field{bracket}/field")
    assert address.parts[0].selectors == (Selector("name", "visit_no"),)


def test_a_step_that_one_subtype_has_needs_no_bracket() -> None:
    address = TYPES.address(SESSION, "scans/scan/parameters/tr")
    assert address.parts == (Part("scans/scan", "xnat:mrScanData"),)
    bracket = TYPES.address(SESSION, "scans/scan[@xsi:type=xnat:mrScanData]/parameters/tr")
    assert bracket.element == address.element


def test_a_step_that_several_subtypes_have_needs_a_bracket() -> None:
    with pytest.raises(UnknownField, match=r"is in .*xnat:mrScanData.*choose by"):
        TYPES.address(SESSION, "scans/scan/parameters/orientation")
    address = TYPES.address(SESSION, "scans/scan[@xsi:type=xnat:ctScanData]/parameters/orientation")
    assert address.parts[0].item_type == "xnat:ctScanData"


def test_a_path_that_ends_at_a_reference_is_its_key() -> None:
    assert TYPES.address(SESSION, "scans/scan").path == "scans/scan/ID"
    assert TYPES.address(SUBJECT, "investigator").element.path == "investigator/ID"


def test_nested_repeated_parts() -> None:
    address = TYPES.address("val:protocolData", "scans/scan_check/comments/comment")
    assert [p.path for p in address.parts] == ["scans/scan_check", "comments/comment"]
    assert [p.item_type for p in address.parts][1] == "val:protocolData_scan_check_comment"


def test_a_supertype_does_not_reach_its_subtypes() -> None:
    with pytest.raises(UnknownField):
        TYPES.address("xnat:experimentData", "subject_ID")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("demographics/gendr", "did you mean demographics/gender"),
        ("demographics", "no value of its own"),
        ("demographics[name=x]/age", "chooses nothing"),
        ("label[@xsi:type=xnat:subjectData]", "one kind only"),
        ("demographics[@xsi:type=nt:scores]/age", "is never nt:scores"),
        ("fields/field[colour=red]/field", "no colour to choose by"),
        ("fields/field[name]/field", "is no bracket"),
        ("fields/field[/field", "is no step"),
        ("", "unknown field"),
    ],
)
def test_a_path_that_names_nothing_is_refused_with_the_reason(path: str, message: str) -> None:
    with pytest.raises(UnknownField, match=message):
        TYPES.address(SUBJECT, path)


def test_an_unknown_type_in_a_bracket_is_named() -> None:
    with pytest.raises(UnknownDataType):
        TYPES.address(SUBJECT, "demographics[@xsi:type=xnat:demographic]/age")


def test_single_values_only_are_elements() -> None:
    assert TYPES.element(SUBJECT, "demographics/age").path == "demographics/age"
    for path in ("fields/field/field", "meta/insert_date"):
        with pytest.raises(UnknownField):
            TYPES.element(SUBJECT, path)
