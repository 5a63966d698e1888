"""Films: scenes, faults, and small copies."""
