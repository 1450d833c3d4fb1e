"""Which triplets of a batch are worth learning from."""
