"""Beats as they are really driven, learnt from trails."""
