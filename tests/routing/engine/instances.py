"""Small problems: one by hand, on a line, and any that hypothesis draws."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from hypothesis import strategies as st

from routing.problem import (
    UNREACHABLE,
    Compartment,
    Disposal,
    Matrix,
    Pass,
    Problem,
    Travel,
    Vehicle,
    Visit,
)

EPOCH = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
WET_DRY = (Compartment(("wet",), 100.0, 1.0), Compartment(("dry", "sanitary"), 80.0, 2.0))
MIXED = (Compartment(("wet", "dry", "sanitary"), 150.0, 1.5),)


def line(places: Sequence[int]) -> dict[str, Travel]:
    """A straight road: `places` in metres, ten metres a second."""
    metres = np.abs(np.subtract.outer(places, places)).astype(np.int32)
    return {"tipper": Travel((metres // 10).astype(np.int32), metres)}


def tipper(
    name: str = "t1", end_s: int = 10_000, rooms: tuple[Compartment, ...] = WET_DRY
) -> Vehicle:
    """A vehicle that starts and ends at location 0, its shift at second 1,000."""
    return Vehicle(name, "tipper", 0, 0, 1_000, end_s, rooms, fixed_cost_s=500)


def point(name: str, at: int, wet_kg: float = 10.0, **more: object) -> Visit:
    return Visit(
        name,
        "bin",
        (Pass(at, at, 60),),
        {"wet": wet_kg},
        {"wet": wet_kg / 1_000},
        **more,  # type: ignore[arg-type]  # the test names real fields of Visit
    )


def town(visits: Sequence[Visit], vehicles: Sequence[Vehicle] = (tipper(),)) -> Problem:
    """Depot at 0 m, transfer station at 1,000 m, ten places 100 m apart from 2,000 m on."""
    places = [0, 1_000, *range(2_000, 3_000, 100)]
    return Problem(
        epoch=EPOCH,
        locations=tuple((77.4 + metres / 100_000, 23.2) for metres in places),
        travel=line(places),
        vehicles=tuple(vehicles),
        visits=tuple(visits),
        disposals=(Disposal("station", 1, 300, frozenset()),),
        change_cost_s=50,
    )


@st.composite
def matrices(draw: st.DrawFn, size: int) -> Matrix:
    """Asymmetric times without any triangle inequality, some roads missing."""
    seed = draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 400, (size, size)).astype(np.int32)
    times[rng.random((size, size)) < draw(st.sampled_from((0.0, 0.0, 0.15)))] = UNREACHABLE
    np.fill_diagonal(times, 0)
    return times


@st.composite
def problems(draw: st.DrawFn, most_visits: int = 8) -> Problem:
    """Up to three vehicles of two profiles, two disposals, lanes, points, windows, beats."""
    size = draw(st.integers(4, 9))
    spot = st.integers(0, size - 1)
    travel = {name: Travel(m := draw(matrices(size)), m * 7) for name in ("tipper", "truck")}
    travel = {
        name: Travel(t.duration_s, np.minimum(t.distance_m, UNREACHABLE).astype(np.int32))
        for name, t in travel.items()
    }
    vehicles = tuple(
        Vehicle(
            f"v{i}",
            draw(st.sampled_from(("tipper", "truck"))),
            draw(spot),
            draw(spot),
            draw(st.integers(0, 500)),
            draw(st.integers(1_000, 6_000)),
            draw(st.sampled_from((WET_DRY, MIXED))),
            draw(st.integers(0, 2_000)),
        )
        for i in range(draw(st.integers(0, 3)))
    )
    kg = st.floats(0, 60, allow_nan=False).map(lambda x: round(x, 2))
    names = [v.id for v in vehicles]
    visits = []
    for i in range(draw(st.integers(0, most_visits))):
        a, b, service_s = draw(spot), draw(spot), draw(st.integers(0, 200))
        ways = (Pass(a, b, service_s, 50.0), Pass(b, a, service_s + 5, 50.0, reversed=True))
        demand = {"wet": draw(kg), "dry": draw(kg)}
        opens = draw(st.integers(0, 2_000))
        visits.append(
            Visit(
                f"l{i}",
                "lane",
                ways[: draw(st.integers(1, 2))],
                demand,
                {stream: amount / 90 for stream, amount in demand.items()},
                draw(st.none() | st.frozensets(st.sampled_from(names))) if names else None,
                draw(
                    st.sampled_from(
                        (
                            (),
                            (),
                            ((opens, opens + 900),),
                            ((opens, opens + 99), (opens + 700, 5_000)),
                        )
                    )
                ),
                draw(st.sampled_from((200, 36_000))),
                draw(st.none() | st.sampled_from(names)) if names else None,
            )
        )
    disposals = tuple(
        Disposal(f"d{i}", draw(spot), draw(st.integers(0, 300)), streams)
        for i, streams in enumerate(
            draw(st.lists(st.sampled_from((frozenset[str](), frozenset({"wet"}))), max_size=2))
        )
    )
    return Problem(
        EPOCH,
        tuple((77.0 + i / 100, 23.0) for i in range(size)),
        travel,
        vehicles,
        tuple(visits),
        disposals,
        draw(st.sampled_from((0, 300))),
    )
