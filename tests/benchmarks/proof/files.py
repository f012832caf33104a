"""A seed on disk, for methods that are run by somebody else: fixes, network and truth."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks.proof import score
from tests.benchmarks.proof.ours import DAY_STARTS_S
from tests.benchmarks.proof.report import Outing
from tests.benchmarks.proof.score import Answer, Said
from tests.benchmarks.proof.town import Town

FIXES, NETWORK, TRUTH = "FIXES.csv", "network.osm", "truth.json"


def write(folder: Path, town: Town, outings: Iterable[Outing]) -> None:
    """FIXES.csv, network.osm and truth.json."""
    folder.mkdir(parents=True, exist_ok=True)
    town.write(folder / NETWORK)
    truth: list[dict[str, Any]] = []
    with (folder / FIXES).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["vehicle", "t", "lon", "lat", "speed_mps", "course_deg"])
        for outing in outings:
            vehicle, fixes = f"v{outing.key}", outing.fixes
            for t, (lon, lat), speed, course in zip(
                fixes.t_s,
                town.plane.degrees(fixes.xy),
                fixes.speed_mps,
                fixes.course_deg,
                strict=True,
            ):
                rows.writerow(
                    [
                        vehicle,
                        int(t) + DAY_STARTS_S,
                        f"{lon:.7f}",
                        f"{lat:.7f}",
                        *("" if math.isnan(v) else f"{v:.2f}" for v in (speed, course)),
                    ]
                )
            for number in outing.day.ward.planned:
                lane = town.lanes[number]
                truth.append(
                    {
                        "vehicle": vehicle,
                        "way": lane.way,
                        "from_node": lane.from_node,
                        "to_node": lane.to_node,
                        "length_m": round(lane.length_m, 1),
                        "served": round(outing.day.served[number], 3),
                        "driven": round(outing.day.driven[number], 3),
                        "is_served": outing.day.is_served(number),
                        "is_driven_through": outing.day.is_driven_through(number),
                    }
                )
    (folder / TRUTH).write_text(json.dumps({"lanes": truth}, indent=0) + "\n", encoding="utf-8")


def score_file(told: Path, truth: Path) -> dict[str, Any]:
    """Scores the output of `safai track prove` (a list of lanes, or an object with `lanes`).

    A lane is known by its way and end nodes; where rows name no vehicle, any vehicle's counts.
    """
    rows = json.loads(told.read_text(encoding="utf-8"))
    rows = rows["lanes"] if isinstance(rows, dict) else rows
    states: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for row in rows:
        states[row.get("vehicle"), *_lane(row)].add(str(row["state"]))
    answers = []
    for lane in json.loads(truth.read_text(encoding="utf-8"))["lanes"]:
        found = states.get((lane["vehicle"], *_lane(lane))) or states.get(
            (None, *_lane(lane)), set()
        )
        said = Said.NOT
        if "served" in found:
            said = Said.SERVED
        elif "unknown" in found:
            said = Said.UNKNOWN
        answers.append(Answer(lane["vehicle"], lane["is_served"], lane["is_driven_through"], said))
    decided = score.decided(answers)
    return {
        "lanes": len(answers),
        "rows": len(rows),
        "f1": round(decided.f1, 4),
        "f1_unknown_wrong": round(score.unknown_wrong(answers).f1, 4),
        "f1_worst_ward": round(score.worst_ward(answers), 4),
        "mcc": round(decided.mcc, 4),
        "unknown_share": round(score.unknown_share(answers), 4),
        "driven_through_called_served": score.through_called_served(answers),
        "driven_through": sum(answer.driven_through for answer in answers),
    }


def _lane(row: Mapping[str, Any]) -> tuple[int, int, int]:
    low, high = sorted((int(row["from_node"]), int(row["to_node"])))
    return int(row["way"]), low, high
