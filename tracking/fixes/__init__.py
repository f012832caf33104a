"""Stored positions: the value, the log and its two adapters."""

from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog
from tracking.fixes.opening import open_fixlog

__all__ = ["Fix", "FixLog", "open_fixlog"]
