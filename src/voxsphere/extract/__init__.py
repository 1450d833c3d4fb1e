"""Recordings to embeddings: one (`voice`), or a whole manifest (`corpus`)."""
