"""Org: what the city has, who holds what when, and what the city decides."""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
