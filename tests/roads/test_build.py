"""Building datasets, and finding them again."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fleet.kit.settings import Settings
from fleet.roads import wiring
from fleet.roads.build import build_dataset, is_built
from fleet.roads.embedded import EmbeddedEngine
from fleet.roads.engine import UNREACHABLE
from fleet.roads.faults import FaultyInputError
from fleet.roads.profile import VehicleProfile
from tests.roads.conftest import TIPPER, no_progress
from tests.roads.towns import point, write_town


def steps_of(network: Path, profile: VehicleProfile, out_dir: Path) -> list[str]:
    steps: list[str] = []
    build_dataset(network, profile, out_dir, lambda fraction, step: steps.append(step))
    return steps


def test_the_same_inputs_are_built_once(tmp_path: Path) -> None:
    network, out_dir = write_town(tmp_path / "network.osm"), tmp_path / "osrm" / "tipper"
    assert steps_of(network, TIPPER, out_dir)[-1] == "built"
    assert steps_of(network, TIPPER, out_dir) == ["unchanged"]
    assert steps_of(network, VehicleProfile("tipper", 1.7), out_dir)[-1] == "built"
    network.write_text(network.read_text().replace("Main Road", "High Road"))
    assert steps_of(network, VehicleProfile("tipper", 1.7), out_dir)[-1] == "built"
    assert [path.name for path in out_dir.parent.iterdir()] == ["tipper"], "nothing left behind"


def test_a_zipped_network_builds_under_the_same_name(tmp_path: Path) -> None:
    plain = write_town(tmp_path / "plain.osm")
    zipped = tmp_path / "network.osm.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    dataset = build_dataset(zipped, TIPPER, tmp_path / "tipper", no_progress)
    assert dataset == tmp_path / "tipper" / "network.osrm"
    table = EmbeddedEngine(dataset).table([point(1), point(3)])
    assert table.duration_s.max() < UNREACHABLE


def test_a_vehicle_too_wide_for_every_street_is_a_fault(tmp_path: Path) -> None:
    network = write_town(tmp_path / "network.osm")
    with pytest.raises(FaultyInputError) as caught:
        build_dataset(network, VehicleProfile("giant", 4, clearance_m=9), tmp_path / "x", print)
    (fault,) = caught.value.faults
    assert fault.field == "class giant: width_m"
    assert "13.0 m" in fault.reason
    assert not (tmp_path / "x").exists()


def test_a_folder_that_the_engine_cannot_read_is_named(tmp_path: Path) -> None:
    network = write_town(tmp_path / "network.osm")
    with pytest.raises(FaultyInputError, match=r"SAFAI_DATA_DIR.*\.osm"):
        build_dataset(network, TIPPER, tmp_path / "city.osm.d" / "tipper", no_progress)


def test_a_failed_build_keeps_the_dataset_that_was_there(tmp_path: Path) -> None:
    network, out_dir = write_town(tmp_path / "network.osm"), tmp_path / "tipper"
    build_dataset(network, TIPPER, out_dir, no_progress)
    network.write_text("<osm")
    with pytest.raises(FaultyInputError, match="network"):
        build_dataset(network, TIPPER, out_dir, no_progress)
    assert is_built(out_dir)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width_m": 9}, "width_m"),
        ({"width_m": 2, "factor": 0}, "factor"),
        ({"width_m": 2, "speeds_kmh": {"residential": -1}}, "residential"),
    ],
)
def test_a_senseless_class_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VehicleProfile("any", **values)  # type: ignore[arg-type]  # the table is of mixed types


def test_datasets_and_ports_of_a_data_folder(tmp_path: Path, town_dataset: Path) -> None:
    settings = Settings(data_dir=tmp_path, osrm_base_port=5600)
    assert wiring.datasets(settings) == {}
    assert len(wiring.engines(settings)) == 0
    network = write_town(tmp_path / "network.osm")
    for profile in (TIPPER, VehicleProfile("cart", 0.9)):
        build_dataset(network, profile, wiring.dataset_dir(settings, profile.id), no_progress)
    (wiring.dataset_dir(settings, "half") / "x").mkdir(parents=True)
    assert wiring.ports(settings) == {"cart": 5600, "tipper": 5601}
    assert list(wiring.engines(settings)) == ["cart", "tipper"]
    with wiring.borrowed_engines(settings) as borrowed:
        engine = borrowed["cart"]
    with pytest.raises(RuntimeError, match="closed"):
        engine.nearest(point(6))
    embedded = wiring.embedded(settings)
    assert embedded["cart"].nearest(point(6)).distance_m == 0
    assert embedded["tipper"].nearest(point(6)).distance_m > 100
