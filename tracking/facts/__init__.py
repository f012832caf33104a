"""What follows from fixes without knowing any plan."""
