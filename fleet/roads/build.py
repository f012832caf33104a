"""Builds the road engine's dataset of one vehicle class from a network file."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from fleet.roads.faults import Fault, FaultyInputError
from fleet.roads.osm import reading
from fleet.roads.profile import TEMPLATE, VehicleProfile
from fleet.roads.renumber import has_negative_ids, write_renumbered
from fleet.roads.tools import engine_version, lua_library, program

type Progress = Callable[[float, str], None]

DATASET = "network.osrm"
"""Base name of a dataset's files; the engines take the path of this name."""

_STAMP = "stamp.json"
_THREADS = 2
_ONLY_FOR_BUILDING = (".cnbg", ".cnbg_to_ebg", ".enw", ".restrictions", ".turn_penalties_index")
_SMALL_COMPONENT = 100
"""Points on an island of fewer street ends than this snap to the big network beside it, so that
streets cut off by an extract's border do not make their neighbours unreachable."""

_FORBIDDEN_IN_PATH = (".osm", ".osrm", ".pbf")
"""The engine cuts these out of a dataset's whole path, folders included, and then finds nothing."""

_NO_STREET = "There are no edges remaining"


def build_dataset(
    network_path: Path,
    profile: VehicleProfile,
    out_dir: Path,
    progress: Progress,
    *,
    contract: bool = False,
) -> Path:
    """Builds `out_dir/network.osrm*` unless it is there already from the same inputs.

    The folder is replaced as a whole when the new dataset is complete; an engine that has the
    old one loaded keeps it.

    Args:
        progress: called with a fraction (0 to 1) and the name of the step.
        contract: prepare for large tables too: 1,000 × 1,000 points take 0.6 s instead of 4.7 s
            (Campo Grande, 1,464 km), for 14 s more here instead of 1 s.

    Raises:
        FaultyInputError: the file cannot be used, or has no street for the vehicle.
    """
    dataset = out_dir / DATASET
    stamp = _stamp(network_path, profile, contract)
    if is_built(out_dir) and json.loads((out_dir / _STAMP).read_text()) == stamp:
        progress(1.0, "unchanged")
        return dataset
    _check_folder(out_dir)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out_dir.name}-", dir=out_dir.parent) as scratch:
        fresh = Path(scratch) / "dataset"
        fresh.mkdir()
        _run_steps(network_path, profile, Path(scratch), fresh / DATASET, progress)
        if contract:
            progress(0.7, "contract")
            _run("contract", [str(fresh / DATASET)], network_path, profile)
        for leftover in _ONLY_FOR_BUILDING:
            (fresh / f"{DATASET}{leftover}").unlink(missing_ok=True)
        (fresh / _STAMP).write_text(json.dumps(stamp, indent=1) + "\n")
        if out_dir.exists():
            out_dir.rename(Path(scratch) / "old")
        fresh.rename(out_dir)
    progress(1.0, "built")
    return dataset


def is_built(out_dir: Path) -> bool:
    """Whether a complete dataset lies there."""
    return (out_dir / _STAMP).is_file() and (out_dir / f"{DATASET}.mldgr").is_file()


def is_contracted(dataset: Path) -> bool:
    return dataset.with_name(f"{dataset.name}.hsgr").is_file()


def _check_folder(out_dir: Path) -> None:
    folder = str(out_dir.absolute())
    found = next((ending for ending in _FORBIDDEN_IN_PATH if ending in folder), None)
    if found is not None:
        fault = Fault(
            folder,
            None,
            "SAFAI_DATA_DIR",
            f'The road engine cannot keep its data in a folder with "{found}" in its path.',
            "Choose another data folder.",
        )
        raise FaultyInputError([fault])


def _stamp(network_path: Path, profile: VehicleProfile, contract: bool) -> dict[str, object]:
    with network_path.open("rb") as file:
        network = hashlib.file_digest(file, "sha256").hexdigest()
    template = hashlib.sha256(TEMPLATE.read_bytes()).hexdigest()
    return {
        "network": network,
        "template": template,
        "vehicle": profile.values(),
        "contract": contract,
        "engine": engine_version(),
    }


def _run_steps(
    network_path: Path, profile: VehicleProfile, scratch: Path, dataset: Path, progress: Progress
) -> None:
    lua = scratch / "profile.lua"
    lua.write_text(profile.lua(lua_library()), encoding="utf-8")
    source = network_path
    progress(0.0, "extract")
    with reading(network_path):
        if has_negative_ids(network_path):
            source = scratch / "network.osm.pbf"
            write_renumbered(network_path, source)
    # Without -o the engine would name the files of x.osm.gz x.gz.osrm.
    extract = ["-p", str(lua), "-o", str(dataset), "--small-component-size", str(_SMALL_COMPONENT)]
    _run("extract", [str(source), *extract], network_path, profile)
    progress(0.5, "partition")
    _run("partition", [str(dataset)], network_path, profile)
    progress(0.6, "customize")
    _run("customize", [str(dataset)], network_path, profile)
    shutil.copy(lua, dataset.with_name("profile.lua"))


def _run(step: str, arguments: list[str], network_path: Path, profile: VehicleProfile) -> None:
    command = [str(program(f"osrm-{step}")), "--threads", str(_THREADS), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode == 0:
        return
    said = [line for line in (done.stdout + done.stderr).splitlines() if "[error]" in line]
    if any(_NO_STREET in line for line in said):
        fault = Fault(
            network_path.name,
            None,
            f"class {profile.id}: width_m",
            f"No street is open to the vehicle class: it needs {profile.needs_m:.1f} m.",
            "Check the class's width_m and speeds_kmh, and the access and width tags of the map.",
        )
    else:
        detail = said[-1].partition("[error] ")[2] if said else f"exit status {done.returncode}"
        fault = Fault(
            network_path.name,
            None,
            f"class {profile.id}",
            f"The road engine could not {step} the network: {detail}.",
            "Check the file with `osmium fileinfo -e`, or export it again.",
        )
    raise FaultyInputError([fault])
