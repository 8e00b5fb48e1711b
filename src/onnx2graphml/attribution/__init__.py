"""What one input does: contributions of edges, relevances of neurons by a rule, and the trace from an output back."""
