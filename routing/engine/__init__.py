"""The solver: a frozen `Problem` in, a `Solution` out; no session, clock or settings."""

from routing.engine.solve import solve

__all__ = ["solve"]
