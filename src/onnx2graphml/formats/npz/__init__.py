"""NumPy's .npz: one sparse matrix."""
