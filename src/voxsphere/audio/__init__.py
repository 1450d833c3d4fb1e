"""Recordings become arrays, and arrays become features: reading, front ends, voice activity, quality."""
