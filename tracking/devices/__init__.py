"""Tracking units, their tokens and the socket that they speak."""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
