"""Long measurements: each a command whose stored output feeds docs/results.md."""
