"""Less of a network: which edges or neurons stay, by a measure, and how far its predictions move."""

MEASURES = ("weight", "synflow", "contribution", "pagerank", "betweenness")
"""What edges and neurons are left out by; `scores` has them. Listed here, where nothing needs to be loaded for it."""
