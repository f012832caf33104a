"""Stored positions: the value, the log and its two adapters."""
