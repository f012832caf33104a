"""All tables of this room, for the migrations."""

from tracking.alarms.models import Alarm, Geofence
from tracking.devices.models import Device
from tracking.facts.models import Dwell, GeofencePass, Hearing, LaneTraversal, Lift, Watermark
from tracking.gateway.models import UnknownFrame
from tracking.history.models import DayTrack
from tracking.pull.models import PullSource
from tracking.weights.models import Excuse, Ticket, Trip, Weighbridge

__all__ = [
    "Alarm",
    "DayTrack",
    "Device",
    "Dwell",
    "Excuse",
    "Geofence",
    "GeofencePass",
    "Hearing",
    "LaneTraversal",
    "Lift",
    "PullSource",
    "Ticket",
    "Trip",
    "UnknownFrame",
    "Watermark",
    "Weighbridge",
]
