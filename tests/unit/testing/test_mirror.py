"""The synthetic mirror: its shape, files that nibabel opens, manifests that cover them, and its repair."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import nibabel
import pytest

from connectomedb.objects.manifest import read_manifest, relative_uri
from connectomedb.testing.mirror import (
    build_mirror,
    ensure_mirror,
    measure_mirror,
    read_stamp,
    stamp_path,
    subject_files,
)
from connectomedb.testing.seed import absent_labels, answers, load_seed, mirror_labels

RUN = "MNINonLinear/Results/tfMRI_MOTOR_LR"


def _open(path: Path) -> Any:
    return nibabel.load(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "mirror"
    build_mirror(folder)
    return folder


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "mirror"
    build_mirror(folder, labels=["100307", "103515"])
    return folder


def test_71_subjects_in_the_tutorials_layout(whole: Path) -> None:
    assert sorted(p.name for p in (whole / "q1").iterdir()) == list(mirror_labels())
    assert not set(absent_labels()) & set(mirror_labels())
    shown = sorted(f"q1/100307/{p.name}/" for p in (whole / "q1/100307").iterdir())
    assert shown == answers()["s3"]["list_q1_100307_slash"]


def test_it_stays_small(whole: Path) -> None:
    facts = measure_mirror(whole)
    assert facts.n_subjects == 71
    assert 5_000 < facts.n_files < 12_000
    assert facts.size_bytes < 150_000_000


@pytest.mark.parametrize("phase", ["LR", "RL"])
def test_a_motor_run_has_the_files_of_2013(phase: str) -> None:
    files = subject_files("100307")
    run = f"tfMRI_MOTOR_{phase}"
    imaging = load_seed()["imaging"]
    expected = {name.format(run=run) for name in imaging["run_folder_files"]}
    expected |= {f"EVs/{name}" for name in imaging["ev_files"]["MOTOR"]}
    found = {p.removeprefix(f"MNINonLinear/Results/{run}/") for p in files if f"/{run}/" in p and "MNI" in p}
    assert expected <= found
    extra = sorted(found - expected)
    assert extra == [f"MOTOR_run{2 if phase == 'LR' else 1}_TAB.txt", f"{run}_hp200_s4_level1.fsf"]


def test_nibabel_opens_every_image(small: Path) -> None:
    n_images = 0
    for path in (small / "q1/100307").rglob("*"):
        if path.name.endswith((".nii", ".nii.gz")):
            assert _open(path).get_fdata().size > 0
            n_images += 1
        elif path.name.endswith(".gii"):
            assert all(array.data.size for array in _open(path).darrays)
            n_images += 1
    assert n_images > 60


def test_the_time_series_know_frames_and_structures(small: Path) -> None:
    folder = small / "q1/100307" / RUN
    image = _open(folder / "tfMRI_MOTOR_LR_Atlas.dtseries.nii")
    assert type(image).__name__ == "Cifti2Image"
    series, brain = image.header.get_axis(0), image.header.get_axis(1)
    assert (series.size, series.step, series.unit) == (284, 0.72, "SECOND")
    names = [name for name, _where, _model in brain.iter_structures()]
    assert names == ["CIFTI_STRUCTURE_CORTEX_LEFT", "CIFTI_STRUCTURE_CORTEX_RIGHT"]
    assert _open(folder / "tfMRI_MOTOR_LR.nii.gz").shape[3] == 284
    assert len((folder / "Movement_Regressors.txt").read_text().splitlines()) == 284


def test_a_surface_is_closed(small: Path) -> None:
    path = small / "q1/100307/MNINonLinear/fsaverage_LR32k/100307.L.pial.32k_fs_LR.surf.gii"
    points, triangles = (array.data for array in _open(path).darrays)
    assert points.shape == (12, 3)
    assert triangles.shape == (20, 3)
    edges = [tuple(sorted((t[i], t[(i + 1) % 3]))) for t in triangles.tolist() for i in range(3)]
    assert all(edges.count(edge) == 2 for edge in edges)


def test_event_files_have_three_columns() -> None:
    for path, data in subject_files("100307").items():
        if "/EVs/" in path and not path.endswith("Sync.txt"):
            rows = [line.split("\t") for line in data.decode().splitlines()]
            assert rows
            assert all(len([float(cell) for cell in row]) == 3 for row in rows)


def test_manifests_cover_every_file_with_the_right_digests() -> None:
    files = subject_files("103515")
    covered = {}
    for path, data in files.items():
        if path.startswith(".xdlm/"):
            assert data.count(b"\n") == 1
            for entry in read_manifest(data, path).entries:
                covered[relative_uri(entry.uri, "103515")] = entry
    rest = {p for p in files if not p.startswith((".xdlm/", "release-notes/"))}
    assert set(covered) == rest
    for path in rest:
        entry = covered[path]
        assert entry.size_bytes == len(files[path])
        assert entry.md5 == hashlib.md5(files[path]).hexdigest()
        assert entry.sha256 == hashlib.sha256(files[path]).hexdigest()


def test_it_says_that_it_is_synthetic() -> None:
    files = subject_files("100307")
    notes = [data for path, data in files.items() if path.startswith("release-notes/")]
    assert notes
    assert all(b"SYNTHETIC" in data for data in notes)
    assert b"SYNTHETIC" in gzip.decompress(files[f"{RUN}/tfMRI_MOTOR_LR.nii.gz"])[:348]
    assert b"SYNTHETIC" in files[f"{RUN}/tfMRI_MOTOR_LR_Atlas.dtseries.nii"]


def test_the_same_bytes_every_time_and_others_for_another_subject() -> None:
    first, again = subject_files("100307"), subject_files("100307")
    assert first == again
    path = f"{RUN}/tfMRI_MOTOR_LR.nii.gz"
    assert first[path] != subject_files("103515")[path]


def test_a_whole_mirror_is_used_again(small: Path) -> None:
    facts, built = ensure_mirror(small)
    assert not built
    assert facts == read_stamp(small)


@pytest.mark.parametrize(
    "damage", ["lose a file", "change a size", "lose the stamp", "break the stamp", "add a file"]
)
def test_a_damaged_mirror_is_built_again(small: Path, damage: str) -> None:
    victim = small / "q1/100307" / RUN / "EVs/lh.txt"
    right = victim.read_bytes()
    if damage == "lose a file":
        victim.unlink()
    elif damage == "change a size":
        victim.write_bytes(right + b"x")
    elif damage == "add a file":
        (small / "q1/stray").write_bytes(b"x")
    elif damage == "lose the stamp":
        stamp_path(small).unlink()
    else:
        stamp_path(small).write_text("{")
    facts, built = ensure_mirror(small)
    assert built
    assert victim.read_bytes() == right
    assert read_stamp(small) == facts == measure_mirror(small)
    assert not (small / "q1/stray").exists()


def test_an_interrupted_build_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    folder = tmp_path / "mirror"

    def interrupt(done: int, _total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_mirror(folder, progress=interrupt)
    assert list(tmp_path.iterdir()) == []
