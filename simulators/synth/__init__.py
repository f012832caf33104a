"""Makes a plausible Indian city and writes it as a city folder."""

from simulators.synth.city import write_city

__all__ = ["write_city"]
