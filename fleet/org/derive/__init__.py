"""What follows from a city's files: wards of lanes, premises, ways of service, beats, lineage.

Pure functions on frozen values; nothing here reads files or the database.
"""
