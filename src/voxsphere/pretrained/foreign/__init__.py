"""Other projects' files of weights, under our names."""
