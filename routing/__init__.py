"""Routing: from demand to plans, and from facts to what became of each visit."""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
