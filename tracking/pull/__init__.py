"""Fetching positions from vendors' services, at intervals, by mappings that are data."""
