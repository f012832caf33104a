"""What a cheap receiver makes of a true position: correlated noise, and silences now and then."""

from __future__ import annotations

import math
import random

FIX_EVERY_S = 5
CORRELATION_S = 60.0
SIGMA_M = (4.0, 8.0)
BETWEEN_GAPS_S = 5400.0
"""Mean time from one silence to the next."""
GAP_S = (60.0, 300.0)


class Receiver:
    """One unit. Its draws depend on the seed and the vehicle only, and on time since `start_s`."""

    def __init__(self, seed: int, vehicle_id: str, start_s: float) -> None:
        self._noise = random.Random(f"{seed}:{vehicle_id}:noise")
        gaps = random.Random(f"{seed}:{vehicle_id}:gaps")
        self.sigma_m = gaps.uniform(*SIGMA_M)
        self._memory = math.exp(-FIX_EVERY_S / CORRELATION_S)
        self._east_m = self._noise.gauss(0.0, self.sigma_m)
        self._north_m = self._noise.gauss(0.0, self.sigma_m)
        self._gaps: list[tuple[float, float]] = []
        t = start_s
        for _ in range(40):
            t += gaps.expovariate(1 / BETWEEN_GAPS_S)
            self._gaps.append((t, t := t + gaps.uniform(*GAP_S)))

    def silent(self, t_s: float) -> bool:
        return any(start <= t_s < end for start, end in self._gaps)

    def observe(self, x: float, y: float) -> tuple[float, float, float]:
        """A true position in metres as received: (x, y, horizontal dilution of precision)."""
        fresh_m = math.sqrt(1 - self._memory**2) * self.sigma_m
        self._east_m = self._memory * self._east_m + self._noise.gauss(0.0, fresh_m)
        self._north_m = self._memory * self._north_m + self._noise.gauss(0.0, fresh_m)
        off = math.hypot(self._east_m, self._north_m)
        return x + self._east_m, y + self._north_m, round(0.8 + off / 8.0, 1)

    def speed(self, true_mps: float) -> float:
        """Doppler speed: good to a few tenths of a metre a second."""
        return max(0.0, true_mps + self._noise.gauss(0.0, 0.15)) if true_mps > 0 else 0.0
