"""Depots, transfer stations, the plant, vehicles, shifts, beats and street bins."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from simulators.synth.layout import Layout, to_metres
from simulators.synth.names import Name
from simulators.synth.streets import ARTERIAL, Streets
from simulators.synth.territory import Land, ward_id

_CONTRACTORS = ("Nagar Nigam", "Swachh Seva", "Malwa Transport")
_TIPPERS = (
    "wet:350kg:0.9m3;dry+sanitary+special:250kg:1.6m3",
    "wet:450kg:1.0m3;dry+sanitary+special:300kg:1.9m3",
    "wet:600kg:1.3m3;dry+sanitary+special:400kg:2.4m3",
)
_CNG_TIPPER = "wet:1800kg:4.0m3;dry+sanitary+special:1200kg:8.0m3"
WARDS_A_DEPOT = 4
WARDS_A_STATION = 8


@dataclass(frozen=True, slots=True)
class Place:
    id: str
    kind: str
    name: Name
    at: tuple[float, float]
    service_s: int


@dataclass(frozen=True, slots=True)
class Vehicle:
    id: str
    class_id: str
    depot: str
    contractor: str
    spare: bool
    compartments: str
    ward: int | None


@dataclass(frozen=True, slots=True)
class Beat:
    id: str
    vehicle: str
    landmarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    id: str
    stream: str
    kg: float
    m3: float
    at: tuple[float, float]


def found_places(layout: Layout, land: Land) -> list[Place]:
    """Depots and stations in free blocks of wards spread over the city; the plant at its rim."""
    wards = layout.wards
    blocks = [list(ward) for ward in land.free_blocks]
    places: list[Place] = []

    def stand(kind: str, prefix: str, name: Name, count: int, service_s: int) -> None:
        for k in range(count):
            ward = (2 * k + 1) * wards // (2 * count)
            x, y = blocks[ward].pop()
            local = layout.neighbourhood(x, y).name
            places.append(
                Place(f"{prefix}{k + 1}", kind, local + name, layout.place(x, y), service_s)
            )

    stand("depot", "D", Name("Depot", "डिपो"), math.ceil(wards / WARDS_A_DEPOT), 0)
    stations = max(min(2, wards), math.ceil(wards / WARDS_A_STATION))
    stand("transfer_station", "T", Name("Transfer Station", "ट्रांसफर स्टेशन"), stations, 480)
    x, y = layout.columns - 0.5, 0.5
    places.append(
        Place(
            "P1",
            "plant",
            Name("Waste Processing Plant", "कचरा प्रसंस्करण संयंत्र"),
            layout.place(x, y),
            900,
        )
    )
    return places


def staff_fleet(layout: Layout, places: list[Place], seed: int) -> list[Vehicle]:
    """Eight or nine tippers a ward, a large CNG tipper per three wards, a spare per twelve."""
    rng = random.Random(f"{seed}:fleet")
    depots = [place for place in places if place.kind == "depot"]
    vehicles: list[Vehicle] = []

    def add(prefix: str, class_id: str, ward: int, compartments: str, spare: bool = False) -> None:
        centre = to_metres(*_centre(layout, ward))
        depot = min(depots, key=lambda d: math.dist(to_metres(*d.at), centre))
        number = 1 + sum(v.id.startswith(f"MP09-{prefix}") for v in vehicles)
        vehicles.append(
            Vehicle(
                f"MP09-{prefix}{number:03d}",
                class_id,
                depot.id,
                _CONTRACTORS[ward % len(_CONTRACTORS)],
                spare,
                compartments,
                None if spare else ward,
            )
        )

    for ward in range(layout.wards):
        for _ in range(8 + ward % 2):
            add("T", "tipper", ward, rng.choice(_TIPPERS))
    for ward in range(0, layout.wards, 3):
        add("C", "cng_tipper", ward, _CNG_TIPPER)
    for k in range(math.ceil(len(vehicles) / 12)):
        add("S", "tipper", k * 12 // 9 % layout.wards, _TIPPERS[1], spare=True)
    return vehicles


def _centre(layout: Layout, ward: int) -> tuple[float, float]:
    west, south, east, north = layout.box(ward)
    return layout.place((west + east) / 2, (south + north) / 2)


def draw_beats(layout: Layout, streets: Streets, land: Land, vehicles: list[Vehicle]) -> list[Beat]:
    """Each ward's streets, neighbourhood by neighbourhood, dealt to its tippers in one piece each.

    A beat lists landmarks and streets by name, as crews describe it.
    """
    by_ward: list[dict[str, tuple[tuple[int, int], float, float]]] = [
        {} for _ in range(layout.wards)
    ]
    for edge in streets.all_edges():
        if edge.highway not in ARTERIAL:
            x, y = edge.middle
            place = layout.neighbourhood_key(x, y)
            by_ward[place[0]].setdefault(edge.name.en, (place, x, y))
    for mark in land.landmarks:
        spot = (mark.neighbourhood, 0.0, 0.0)
        by_ward[mark.ward].setdefault(mark.name.en, spot)
    beats: list[Beat] = []
    for ward, named in enumerate(by_ward):
        tippers = [v for v in vehicles if v.ward == ward and v.class_id == "tipper"]
        order = [name for name, _ in sorted(named.items(), key=lambda item: (item[1], item[0]))]
        for k, vehicle in enumerate(tippers):
            piece = order[len(order) * k // len(tippers) : len(order) * (k + 1) // len(tippers)]
            beats.append(Beat(f"{ward_id(ward)}-B{k + 1}", vehicle.id, tuple(piece)))
    return beats


def set_bins(layout: Layout, streets: Streets, seed: int) -> list[Bin]:
    """Four street bins a ward, along its larger streets and its market."""
    rng = random.Random(f"{seed}:bins")
    kerbs: list[list[tuple[float, float]]] = [[] for _ in range(layout.wards)]
    for edge in streets.edges.values():
        if edge.market or edge.highway in ("secondary", "tertiary"):
            kerbs[layout.ward(*edge.middle)].append(layout.place(*edge.middle))
    return [
        Bin(
            f"B-{ward_id(ward)}-{k + 1}",
            ("dry", "wet")[k % 2],
            (50.0, 90.0)[k % 2],
            (0.4, 0.2)[k % 2],
            at,
        )
        for ward, spots in enumerate(kerbs)
        for k, at in enumerate(rng.sample(spots, min(4, len(spots))))
    ]
