"""A recipe to a trained model folder, resumable to the bit."""
