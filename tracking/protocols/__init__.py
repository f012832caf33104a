"""One file a protocol, pure: what units send → `Reading`s, and what they want to hear."""
