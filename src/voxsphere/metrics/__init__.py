"""Metrics: pure functions on numpy arrays, target scores first, higher means same speaker, LLR in nats."""
