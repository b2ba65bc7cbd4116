"""Unmodified xnatpy builds its classes from our schemas and reads values through them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from connectomedb.schema.registry import load_types

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the peer's own code, unmodified
    import xnat


@pytest.fixture(scope="module")
def session(q1_server: str) -> Iterator[Any]:
    with xnat.connect(q1_server, user="guest-reader", password="reader-demo") as connected:
        yield connected


def test_every_type_has_a_class(session: Any) -> None:
    assert [t.xsi_type for t in load_types().all() if t.xsi_type not in session.XNAT_CLASS_LOOKUP] == []


def test_classes_inherit_as_the_types_do(session: Any) -> None:
    classes = session.XNAT_CLASS_LOOKUP
    for data_type in load_types().all():
        if data_type.base:
            assert issubclass(classes[data_type.xsi_type], classes[data_type.base])


def test_values_are_read_through_the_classes(session: Any) -> None:
    project = session.projects["HCP_Q1"]
    assert len(project.subjects) == 76
    scores = project.subjects["100307"].experiments["100307_NonToolbox"]
    assert scores.neo.neofac_a == 33
    assert scores.er40.er40_crt == 1471.0
