"""Back-end: what stands between embeddings and decisions, as functions and frozen dataclasses of numbers."""
