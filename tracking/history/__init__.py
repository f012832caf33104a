"""What was: a vehicle's day, the fleet's replay, exports, coverage, compact tracks, retention."""
