"""Fills what a folder lacks from its street network, where the importer was asked to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fleet.org.cityfiles import classes, defaults, fleet, places, wards
from fleet.org.cityfiles.city import guessed_zone
from fleet.org.cityfiles.folder import CityFolder, with_usual_shift
from fleet.org.derive.plane import Plane
from fleet.roads.faults import Fault
from fleet.roads.lanes import LaneSegment
from fleet.roads.network import Network
from fleet.roads.profile import VehicleProfile
from fleet.roads.reach import reachable

HOUSEHOLDS_A_WARD = 6000
"""Usual size of an Indian city's ward, for a grid whose number of wards nobody gave."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What may be made up. `grid_wards`: how many wards; None: none, or as `complete` needs."""

    grid_wards: int | None = None
    complete: bool = False

    @property
    def may_lack(self) -> frozenset[str]:
        """Needed files that may be absent."""
        lacking = {wards.FILE} if self.grid_wards or self.complete else set()
        if self.complete:
            lacking |= {places.FILE, classes.FILE, fleet.FILE}
        return frozenset(lacking)


def complete(
    files: CityFolder,
    network: Network,
    segments: Sequence[LaneSegment],
    asked: Completion,
    faults: list[Fault],
) -> CityFolder:
    """The folder with estimated rows in place of the files that it lacks; named in `estimated`."""
    missing = files.missing & asked.may_lack
    estimated = set(files.estimated)
    plane = Plane.around(network.bbox)
    households = defaults.street_households(segments, files.policy)
    if wards.FILE in missing:
        count = asked.grid_wards or max(1, round(households / HOUSEHOLDS_A_WARD))
        if count > len(segments):
            reason = f"{count} wards cannot be cut from {len(segments)} streets."
            faults.append(Fault(wards.FILE, None, None, reason, "Ask for fewer wards."))
            count = 1
        files = replace(files, wards=defaults.grid_wards(segments, network.bbox, count))
        estimated.add("wards")
    if classes.FILE in missing:
        files = replace(files, classes=defaults.CLASSES)
        estimated.add("classes")
    if places.FILE in missing:
        widest = min(files.classes, key=lambda row: (-row.width_m, row.id))
        profile = VehicleProfile(widest.id, widest.width_m, clearance_m=files.policy.clearance_m)
        reached = reachable(segments, profile)
        streets = [s for s in segments if s.id in reached and not s.private]
        files = replace(files, places=defaults.places(streets or segments, plane))
        estimated.add("places")
    depots = [row.id for row in files.places if row.kind == "depot"]
    if fleet.FILE in missing and depots:
        policy = files.policy
        kg_day = policy.kg_day(households, households * policy.shops_per_household, 0, 0)
        rows = defaults.vehicles(
            kg_day, files.classes[0].id, depots[0], policy, at_least=len(files.wards)
        )
        shifts = with_usual_shift(files.shifts, [row.id for row in rows])
        files = replace(files, vehicles=rows, shifts=shifts)
        estimated.add("fleet")
    if files.city.tz is None:
        files = replace(files, city=replace(files.city, tz=guessed_zone(plane.lon, plane.lat)))
        estimated.add("tz")
    return replace(files, estimated=frozenset(estimated))
