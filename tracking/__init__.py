"""Where the vehicles are and what they did: devices, fixes, live state and plan-free facts."""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
