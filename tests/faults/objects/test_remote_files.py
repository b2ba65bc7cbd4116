"""An object as a file: the bytes of a local one, few requests, faults cured or named."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import nibabel as untyped_nibabel
import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.faults.objects.conftest import store_on
from tests.faults.objects.server import Fault, FaultServer, held

from connectomedb.errors import ObjectChanged, ObjectMissing
from connectomedb.objects.remote import open_object
from connectomedb.objects.stores import ObjectStore

nibabel: Any = untyped_nibabel
BODY = os.urandom(100_000)


@pytest.mark.parametrize("kind", ["cut", "reset", "whole", "chunked", "range-200", "short"])
def test_it_reads_what_is_there(server: FaultServer, store: ObjectStore, kind: str) -> None:
    server.put("a/b", BODY, Fault(kind, at=100), Fault(kind, at=100))
    with open_object(store, "a/b", read_ahead_bytes=1000) as file:
        file.seek(5000)
        assert file.read(10) == BODY[5000:5010]
        assert file.seek(-7, os.SEEK_END) == len(BODY) - 7
        assert file.read() == BODY[-7:]
        assert file.read(1) == b""
        file.seek(0)
        assert file.read() == BODY


steps = st.lists(
    st.tuples(st.sampled_from(["read", "seek", "end", "step"]), st.integers(0, 3000)), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps, st.integers(1, 700))
def test_it_is_a_file(server: FaultServer, steps: list[tuple[str, int]], ahead: int) -> None:
    server.put("a/b", BODY[:2500])
    local = io.BytesIO(BODY[:2500])
    with open_object(store_on(server), "a/b", read_ahead_bytes=ahead) as file:
        for step, n in steps:
            if step == "read":
                assert file.read(n) == local.read(n)
            elif step == "seek":
                assert file.seek(n) == local.seek(n)
            elif step == "end":
                assert file.seek(-min(n, 2500), os.SEEK_END) == local.seek(-min(n, 2500), os.SEEK_END)
            else:
                assert file.seek(n, os.SEEK_CUR) == local.seek(n, os.SEEK_CUR)


def test_two_versions_never_meet(server: FaultServer, store: ObjectStore) -> None:
    server.put("a/b", BODY)
    with open_object(store, "a/b", read_ahead_bytes=1000) as file:
        file.read(10)
        server.objects["a/b"] = held(BODY[::-1])
        file.seek(50_000)
        with pytest.raises(ObjectChanged):
            file.read(10)


def test_what_is_not_there_is_named(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing, match="none"):
        open_object(store, "none")


def test_a_slice_of_a_volume_costs_a_slice(server: FaultServer, tmp_path: Path) -> None:
    data = numpy.arange(40 * 40 * 40 * 30, dtype=numpy.int32).reshape(40, 40, 40, 30)
    nibabel.save(nibabel.Nifti1Image(data, numpy.eye(4)), tmp_path / "v.nii")
    body = (tmp_path / "v.nii").read_bytes()
    server.put("v.nii", body)
    with open_object(store_on(server), "v.nii") as file:
        holder = nibabel.FileHolder(fileobj=file)
        image = nibabel.Nifti1Image.from_file_map({"header": holder, "image": holder})
        assert (numpy.asarray(image.dataobj[..., 17]) == data[..., 17]).all()
    assert server.sent_bytes() < len(body) / 10
