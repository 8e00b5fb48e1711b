"""A pattern's way through the network, a picture of each layer."""
