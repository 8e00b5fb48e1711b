"""A graph from nodes and edges again: from a written file, or from a graph that was edited in NetworkX."""
