"""The road network: reading it, cutting it into lanes, travel times over it, its basemap."""
