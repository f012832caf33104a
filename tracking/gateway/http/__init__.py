"""Edges of other protocols over HTTP: `/in/osmand`, `/in/owntracks`, `/in/traccar`."""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
