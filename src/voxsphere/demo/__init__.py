"""The demonstration: a real conversation of two, its turns compared pair by pair."""
