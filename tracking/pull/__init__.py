"""Fetching positions from vendors' services, at intervals, by mappings that are data."""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
