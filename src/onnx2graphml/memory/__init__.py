"""A graph in the memory of another library: one module for each. See `NeuronGraph.to_igraph` and its neighbours."""
