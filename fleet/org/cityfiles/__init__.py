"""The files of a city folder: one module per kind, each giving typed rows and every fault."""
