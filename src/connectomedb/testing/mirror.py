"""The synthetic Q1 mirror: 71 subjects laid out as on S3 in 2013, in a local folder.

Small but valid files, with `.xdlm` manifests that cover them. A stamp beside the folder says when it is
whole; a folder that lost or changed a file is built again, and never shows half-built under its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from connectomedb.objects.layouts import parse_key
from connectomedb.objects.manifest import ManifestEntry, write_manifest
from connectomedb.testing import imagefiles
from connectomedb.testing.seed import load_seed, mirror_labels
from connectomedb.vocabulary import hcp

RELEASE = "q1"
SEED = 71
VERSION = 1
_VOLUME = (6, 7, 6)
_MOTOR_EVS = {
    "lf": ((71.35, 12), (162.14, 12)),
    "lh": ((11.01, 12), (116.71, 12)),
    "rf": ((86.47, 12), (177.25, 12)),
    "rh": ((26.13, 12), (132.01, 12)),
    "t": ((41.25, 12), (147.11, 12)),
}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class MirrorFacts:
    """What a whole mirror amounts to. `digest` covers every key with its size."""

    n_subjects: int
    n_files: int
    size_bytes: int
    digest: str


def build_mirror(
    folder: Path, *, labels: Iterable[str] | None = None, progress: Progress | None = None
) -> MirrorFacts:
    """Make the mirror in `folder`, replacing what is there; its keys begin with `q1/`.

    Cost     about 10,000 files and 60 MB for all 71 subjects
    """
    wanted = tuple(mirror_labels() if labels is None else labels)
    building = folder.with_name(f".{folder.name}.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    stamp_path(folder).unlink(missing_ok=True)
    try:
        for done, label in enumerate(wanted):
            if progress is not None:
                progress(done, len(wanted))
            _write_subject(building / RELEASE / label, label)
        facts = measure_mirror(building)
        if folder.exists():
            shutil.rmtree(folder)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    _write_stamp(folder, facts)
    if progress is not None:
        progress(len(wanted), len(wanted))
    return facts


def ensure_mirror(folder: Path, *, progress: Progress | None = None) -> tuple[MirrorFacts, bool]:
    """The mirror in `folder`, built if it is missing or damaged; the flag says whether it was built."""
    found = read_stamp(folder)
    if found is not None and folder.is_dir() and measure_mirror(folder) == found:
        return found, False
    return build_mirror(folder, progress=progress), True


def measure_mirror(folder: Path) -> MirrorFacts:
    """Count what is there: one look at every name and size, no file is read."""
    lines = []
    subjects = set()
    total = 0
    for where, _folders, names in os.walk(folder):
        for name in names:
            path = Path(where, name)
            size = path.lstat().st_size
            key = path.relative_to(folder).as_posix()
            lines.append(f"{key}\t{size}\n")
            subjects.add(key.split("/")[1] if key.count("/") > 1 else "")
            total += size
    digest = hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    return MirrorFacts(len(subjects), len(lines), total, digest)


def stamp_path(folder: Path) -> Path:
    """Where the stamp of the mirror in `folder` stands: beside it, as it is no object of the mirror."""
    return folder.with_name(f"{folder.name}.complete.json")


def read_stamp(folder: Path) -> MirrorFacts | None:
    """What the stamp promises; None when there is none, or none that this version wrote."""
    try:
        found = json.loads(stamp_path(folder).read_text("utf-8"))
        if found.pop("version") != VERSION:
            return None
        return MirrorFacts(**found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # unreadable means not known to be whole, and that leads to building it again


def subject_files(label: str) -> dict[str, bytes]:
    """All files of one subject by path below `q1/<subject>/`, manifests and notes included."""
    files = dict(_images(label))
    packages: dict[str, list[str]] = {}
    for path in files:
        facts = parse_key("hcp-q1", f"{RELEASE}/{label}/{path}")
        if facts is not None and facts.package:
            packages.setdefault(facts.package, []).append(path)
    for package, paths in sorted(packages.items()):
        files[f".xdlm/{label}_3T_{package}.json"] = write_manifest(
            [_entry(label, path, files[path]) for path in sorted(paths)],
            Subject=label,
            Package=f"{label}_3T_{package}",
            Notice=imagefiles.NOTICE,
        )
        files[f"release-notes/{package}.txt"] = (
            f"{label}_3T_{package}\n\nThis package is SYNTHETIC. It was made by `connectomedb demo` to show "
            f"how queries lead to images.\nThe {len(paths)} files hold noise; they "
            "come from no person and no scanner.\n"
        ).encode()
    return files


def _write_subject(folder: Path, label: str) -> None:
    made: set[Path] = set()
    for path, data in subject_files(label).items():
        target = folder / path
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_bytes(data)


def _write_stamp(folder: Path, facts: MirrorFacts) -> None:
    target = stamp_path(folder)
    partial = target.with_name(f".{target.name}.part")
    content = {"version": VERSION} | {name: getattr(facts, name) for name in MirrorFacts.__slots__}
    partial.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    partial.replace(target)


def _entry(label: str, path: str, data: bytes) -> ManifestEntry:
    return ManifestEntry(
        f"{label}/{path}",
        len(data),
        hashlib.md5(data, usedforsecurity=False).hexdigest(),
        hashlib.sha256(data).hexdigest(),
    )


def _images(label: str) -> Iterator[tuple[str, bytes]]:
    rng = Random(f"{SEED}:{label}")
    yield from _structural(label, rng)
    yield from _diffusion(label, rng)
    for run in hcp.runs():
        yield from _motor_run(run, rng) if "_MOTOR_" in run else _other_run(run, rng)
    yield "MNINonLinear/Results/tfMRI_MOTOR/tfMRI_MOTOR_hp200_s4_level2.fsf", _design("tfMRI_MOTOR", 2)
    yield from _unprocessed(label, rng)


def _structural(label: str, rng: Random) -> Iterator[tuple[str, bytes]]:
    for contrast in ("T1w", "T2w"):
        for step in ("", "_restore", "_restore_brain"):
            yield f"T1w/{contrast}_acpc_dc{step}.nii.gz", imagefiles.volume(rng, (8, 9, 8))
        for step in ("_restore", "_restore_brain"):
            yield f"MNINonLinear/{contrast}{step}.nii.gz", imagefiles.volume(rng, (8, 9, 8))
    for name in ("brainmask_fs", "ribbon", "wmparc"):
        yield f"T1w/{name}.nii.gz", imagefiles.mask((8, 9, 8))
        yield f"MNINonLinear/{name}.nii.gz", imagefiles.mask((8, 9, 8))
    for name in ("acpc_dc2standard", "standard2acpc_dc"):
        yield f"MNINonLinear/xfms/{name}.nii.gz", imagefiles.volume(rng, (4, 5, 4, 3))
    for side, structure in (("L", "CortexLeft"), ("R", "CortexRight")):
        for kind, radius in (("white", 60.0), ("midthickness", 62.0), ("pial", 64.0)):
            path = f"MNINonLinear/fsaverage_LR32k/{label}.{side}.{kind}.32k_fs_LR.surf.gii"
            yield path, _surface(structure, radius)
    for kind in ("MyelinMap", "thickness"):
        path = f"MNINonLinear/fsaverage_LR32k/{label}.{kind}.32k_fs_LR.dscalar.nii"
        yield path, imagefiles.dscalar(rng, f"{label}_{kind}", 64)


@cache
def _surface(structure: str, radius: float) -> bytes:
    return imagefiles.surface(structure, radius)


def _diffusion(label: str, rng: Random) -> Iterator[tuple[str, bytes]]:
    n = 12
    yield "Diffusion/data/data.nii.gz", imagefiles.volume(rng, (5, 6, 5, n))
    yield "Diffusion/data/nodif_brain_mask.nii.gz", imagefiles.mask((5, 6, 5))
    yield (
        "Diffusion/data/bvals",
        (" ".join(str((5, 1000, 2000, 3000)[i % 4]) for i in range(n)) + "\n").encode(),
    )
    rows = [" ".join(f"{rng.uniform(-1, 1):.6f}" for _ in range(n)) for _axis in range(3)]
    yield "Diffusion/data/bvecs", ("\n".join(rows) + "\n").encode()
    yield "T1w/xfms/diff2str.mat", b"1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n"


def _motor_run(run: str, rng: Random) -> Iterator[tuple[str, bytes]]:
    imaging = load_seed()["imaging"]
    frames = int(imaging["frames_per_run"]["tfMRI_MOTOR"])
    where = f"MNINonLinear/Results/{run}"
    contents = {
        "{run}.nii.gz": imagefiles.volume(rng, (*_VOLUME, frames)),
        "{run}_SBRef.nii.gz": imagefiles.volume(rng, _VOLUME),
        "{run}_Jacobian.nii.gz": imagefiles.volume(rng, _VOLUME),
        "{run}_Atlas.dtseries.nii": imagefiles.dtseries(rng, frames, 96),
        "{run}_AtlasSubcortical_s2.nii.gz": imagefiles.volume(rng, (3, 3, 3, frames)),
        "{run}_s2.atlasroi.L.32k_fs_LR.func.gii": imagefiles.func_surface(rng, "CortexLeft", 24, frames),
        "{run}_s2.atlasroi.R.32k_fs_LR.func.gii": imagefiles.func_surface(rng, "CortexRight", 24, frames),
        "Movement_Regressors.txt": _movement(rng, frames),
        "Movement_Regressors_dt.txt": _movement(rng, frames),
        "RibbonVolumeToSurfaceMapping/goodvoxels.nii.gz": imagefiles.mask(_VOLUME),
    }
    for name in imaging["run_folder_files"]:
        yield f"{where}/{name.format(run=run)}", contents[name]
    for name in imaging["ev_files"]["MOTOR"]:
        yield f"{where}/EVs/{name}", _ev(name.removesuffix(".txt"), rng)
    number = 2 if run.endswith("LR") else 1
    yield f"{where}/MOTOR_run{number}_TAB.txt", _task_log(number)
    yield f"{where}/{run}_hp200_s4_level1.fsf", _design(run, 1)


def _other_run(run: str, rng: Random) -> Iterator[tuple[str, bytes]]:
    frames = int(load_seed()["imaging"]["frames_per_run"][hcp.without_phase(run)])
    where = f"MNINonLinear/Results/{run}"
    yield f"{where}/{run}_Atlas.dtseries.nii", imagefiles.dtseries(rng, frames, 8)
    yield f"{where}/{run}_SBRef.nii.gz", imagefiles.volume(rng, _VOLUME)


def _unprocessed(label: str, rng: Random) -> Iterator[tuple[str, bytes]]:
    for scan in ("T1w_MPR1", "T2w_SPC1"):
        yield f"unprocessed/3T/{scan}/{label}_3T_{scan}.nii.gz", imagefiles.volume(rng, (8, 9, 8))
    for phase in hcp.PHASES:
        where = f"unprocessed/3T/tfMRI_MOTOR_{phase}/{label}_3T_tfMRI_MOTOR_{phase}"
        yield f"{where}.nii.gz", imagefiles.volume(rng, (4, 4, 4, 20))
        yield f"{where}_SBRef.nii.gz", imagefiles.volume(rng, (4, 4, 4))
        path = f"unprocessed/3T/Diffusion/{label}_3T_DWI_dir95_{phase}.nii.gz"
        yield path, imagefiles.volume(rng, (4, 4, 4, 8))


def _movement(rng: Random, frames: int) -> bytes:
    """12 columns per frame: three shifts in mm, three turns in degrees, then their derivatives."""
    before = [0.0] * 6
    lines = []
    for _ in range(frames):
        now = [0.98 * value + rng.gauss(0.0, 0.02) for value in before]
        change = [a - b for a, b in zip(now, before, strict=True)]
        lines.append("  ".join(f"{value:.6f}" for value in (*now, *change)))
        before = now
    return ("\n".join(lines) + "\n").encode()


def _ev(name: str, rng: Random) -> bytes:
    """FSL's three columns: onset s, duration s, weight; `Sync.txt` holds one time."""
    shift = rng.uniform(-0.05, 0.05)
    if name == "Sync":
        return f"{10.9 + shift:.3f}\n".encode()
    if name == "cue":
        blocks = sorted(onset - 3 for events in _MOTOR_EVS.values() for onset, _ in events)
        return "".join(f"{onset + shift:.3f}\t3\t1\n" for onset in blocks).encode()
    return "".join(f"{onset + shift:.3f}\t{length}\t1\n" for onset, length in _MOTOR_EVS[name]).encode()


def _task_log(number: int) -> bytes:
    rows = sorted((onset, name) for name, events in _MOTOR_EVS.items() for onset, _ in events)
    lines = ["Session\tBlock\tCondition\tOnset_s\tNotice"]
    lines += [f"{number}\t{i}\t{name}\t{onset}\tSYNTHETIC" for i, (onset, name) in enumerate(rows, 1)]
    return ("\n".join(lines) + "\n").encode()


def _design(run: str, level: int) -> bytes:
    return (
        f"# SYNTHETIC FEAT design of {run}\nset fmri(version) 6.00\nset fmri(level) {level}\n"
        "set fmri(analysis) 7\nset fmri(tr) 0.72\nset fmri(npts) 284\nset fmri(paradigm_hp) 200\n"
        "set fmri(smooth) 4\n"
    ).encode()
