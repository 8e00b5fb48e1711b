"""Pictures of an analysis: distributions by layer, maps of neurons, the layers as a graph, the course of training."""
