"""Plans are values, and never write outside their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectomedb.errors import TargetRefused, TransferError
from connectomedb.objects.journal import Parts
from connectomedb.objects.plan import TransferPlan, make_plan, safe_target
from connectomedb.vocabulary.records import FileRow

ROWS = [FileRow("100307", "q1/100307/a.txt", 3, "md5", "0" * 32), FileRow("103515", "q1/103515/b.txt", 5)]


def test_a_plan_counts_splits_and_names_who_is_absent(tmp_path: Path) -> None:
    plan = make_plan(ROWS, tmp_path, location="s3://x", subjects_wanted=["100307", "103515", "144428"])
    assert (plan.n_files, plan.size_bytes, plan.absent_subjects) == (2, 8, ("144428",))
    assert [p.n_files for p in plan.by_subject().values()] == [1, 1]
    assert "not on the mirror: 144428" in plan.summary()


def test_a_plan_survives_being_saved(tmp_path: Path) -> None:
    plan = make_plan(ROWS, tmp_path, location="s3://x")
    assert TransferPlan.from_json(plan.to_json()) == plan
    with pytest.raises(TransferError, match="not a saved plan"):
        TransferPlan.from_json("{}")


@pytest.mark.parametrize("key", ["../up", "a/../../b", "/etc/passwd", ""])
def test_a_key_that_leaves_the_folder_is_refused(tmp_path: Path, key: str) -> None:
    plan = make_plan([FileRow("x", key, 1), *ROWS], tmp_path, location="s3://x")
    assert [f.action for f in plan.files] == ["refuse", "fetch", "fetch"]
    assert f"refused: {key!r}" in plan.summary()
    with pytest.raises(TargetRefused, match="no path inside"):
        safe_target(key)


def test_a_wrong_size_is_fetched_again_and_a_part_is_resumed(tmp_path: Path) -> None:
    (tmp_path / "q1/100307").mkdir(parents=True)
    (tmp_path / "q1/100307/a.txt").write_bytes(b"longer")
    part = Parts(tmp_path).path("q1/103515/b.txt", '"etag"')
    part.parent.mkdir(parents=True)
    part.write_bytes(b"be")
    assert [f.action for f in make_plan(ROWS, tmp_path, location="s3://x").files] == ["refetch", "resume"]
