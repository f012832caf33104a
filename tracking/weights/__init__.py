"""Weighbridge tickets, the trips that they end, and what was carried from where.

A ticket is weighed; a lane's or ward's share of it is apportioned, and says so. Nothing that is
unknown, such as a dead unit or a ticket still on its way, counts against anybody.
"""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
