"""Field staff on foot: in which beat they were from when to when, and what they swept there."""
