"""How fast voxsphere is on this machine."""
