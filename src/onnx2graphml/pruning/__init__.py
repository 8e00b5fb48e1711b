"""Less of a network: which edges or neurons stay, by a measure, and how far its predictions move."""
