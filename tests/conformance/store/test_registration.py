"""How data types are registered, on both databases."""

from __future__ import annotations

import pytest

from connectomedb.errors import AccessDenied, BadConstraint, UnknownDataType
from connectomedb.store.archive import Archive
from connectomedb.vocabulary.records import Principal


def test_a_type_is_registered_with_the_defaults(archive: Archive) -> None:
    record = archive.registrations()["nt:scores"]
    flags = (record.secure, record.browse, record.searchable, record.accessible, record.secure_read)
    assert flags == (True,) * 5
    assert (record.sequence, record.quarantine, record.pre_load) == (2, False, False)
    assert record.primary_security_fields == ("nt:scores/project", "nt:scores/sharing/share/project")
    assert record.element_actions == ("xml", "edit", "xml_file", "email_report")


def test_all_types_but_one_are_secured(archive: Archive) -> None:
    assert [r.element_name for r in archive.registrations().values() if not r.secure] == [
        "xnat:investigatorData"
    ]


def test_what_an_administrator_changes_stays(archive: Archive, admin: Principal) -> None:
    assert archive.register_type("XNAT:petSessionData", {"code": "PT", "sequence": "1"}, admin).code == "PT"
    archive.register_type("xnat:petSessionData", {"browse": "false"}, admin)
    record = archive.registrations()["xnat:petSessionData"]
    assert (record.code, record.sequence, record.browse, record.searchable) == ("PT", 1, False, True)
    assert next(iter(archive.registrations())) == "xnat:petSessionData"


def test_others_change_nothing(archive: Archive, reader: Principal) -> None:
    with pytest.raises(AccessDenied, match="only an administrator"):
        archive.register_type("nt:scores", {"secure": "0"}, reader)


def test_what_a_record_does_not_have_is_refused(archive: Archive, admin: Principal) -> None:
    with pytest.raises(BadConstraint, match="did you mean plural"):
        archive.register_type("nt:scores", {"plurals": "x"}, admin)
    with pytest.raises(BadConstraint, match="secure='maybe' is not 1 or 0"):
        archive.register_type("nt:scores", {"secure": "maybe"}, admin)
    with pytest.raises(UnknownDataType):
        archive.register_type("xdat:user", {"secure": "0"}, admin)
