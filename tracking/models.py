"""All tables of this room, for the migrations."""

from tracking.devices.models import Device
from tracking.facts.models import Dwell, GeofencePass, Hearing, LaneTraversal, Watermark

__all__ = ["Device", "Dwell", "GeofencePass", "Hearing", "LaneTraversal", "Watermark"]
