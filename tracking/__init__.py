"""Where the vehicles are and what they did: devices, fixes, live state and plan-free facts."""
