"""Distances on the plane."""

from __future__ import annotations

import doctest

import pytest

from fleet.kit import geo


def test_doctests():
    assert doctest.testmod(geo).failed == 0


@pytest.mark.parametrize(("lat", "metres"), [(0.0, 1113.2), (60.0, 556.6), (90.0, 0.0)])
def test_a_degree_of_longitude_shrinks_towards_the_poles(lat, metres):
    assert geo.distance_m(75.0, lat, 75.01, lat) == pytest.approx(metres, abs=0.1)
