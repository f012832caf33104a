"""Alarms with a life, for every room: rules as data, geofences, and the watch over fixes."""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
