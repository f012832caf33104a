"""What Prometheus is told about units on bare sockets."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

FRAMES: Final = Counter(
    "safai_unit_frames",
    "Frames of units on bare sockets, by what became of them: stored, heard (nothing to store), "
    "refused (a fix that cannot be stored) or unknown.",
    ["protocol", "outcome"],
)
CONNECTIONS: Final = Gauge("safai_unit_connections", "Open connections of units on bare sockets.")
