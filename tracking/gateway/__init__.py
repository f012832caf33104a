"""Units on bare sockets: the listener, who a unit is, and frames that nobody understood."""

from pathlib import Path

from fleet.kit.i18n import register

register(Path(__file__).parent / "locales")
