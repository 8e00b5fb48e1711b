"""A trained neural network as a graph: a node for every neuron, an edge with its weight for every multiplication."""
