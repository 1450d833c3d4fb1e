"""Networks: frames to embeddings, and the one module that goes from wave to vector."""
