"""Pictures of a network and of what passes through it: one module a picture. Nothing here changes a graph."""
