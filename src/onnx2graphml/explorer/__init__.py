"""The interactive page: a network's layers, maps and neurons with their exact edges, in a browser or a notebook."""
