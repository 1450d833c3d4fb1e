"""Evaluate: from trials and embeddings to results one can trust, and a page that shows them."""
