"""Tracking units, their tokens and the socket that they speak."""
