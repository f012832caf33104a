"""`bins.geojson`: street bins with what they hold when full. Optional."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.org.cityfiles.reading import features
from fleet.org.policy import STREAMS, Policy
from fleet.roads.faults import Fault

FILE: Final = "bins.geojson"


@dataclass(frozen=True, slots=True)
class BinRow:
    id: str
    stream: str
    kg: float
    m3: float
    lon: float
    lat: float
    row: int


def read(folder: Path, faults: list[Fault], policy: Policy) -> list[BinRow]:
    """All bins; a missing volume follows from the stream's density."""
    bins: dict[str, BinRow] = {}
    for row, geometry in features(folder / FILE, faults):
        bin_id, stream = row.key("id"), (row.text("stream") or "").casefold()
        kg = row.number_of("kg", low=0.1)
        if stream and stream not in STREAMS:
            row.fault("stream", f"{stream!r} is no stream", f"Use {', '.join(STREAMS)}.")
            continue
        if not (bin_id and stream) or kg is None:
            continue
        m3 = row.number_of("m3", default=kg / policy.density_kg_m3[stream])
        if bin_id in bins:
            other = bins[bin_id].row
            row.fault("id", f"{bin_id} is also row {other}", "Give each bin its own id.")
        elif m3 is not None:
            point = geometry.representative_point()
            bins[bin_id] = BinRow(bin_id, stream, kg, m3, point.x, point.y, row.number or 0)
    return list(bins.values())
