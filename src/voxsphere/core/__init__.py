"""The nouns that cross rooms, and the floorboards under them."""
