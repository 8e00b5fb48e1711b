"""NetworkX's functions on graphs that are never expanded: a backend for NetworkX's dispatcher, and a read-only graph.

`NeuronGraph.to_networkx(as_view=True)` makes the graph; NetworkX finds the backend by this package's entry points.
Nothing is imported here: NetworkX reads `info` whenever it is imported.

Source: https://networkx.org/documentation/stable/reference/backends.html
"""
