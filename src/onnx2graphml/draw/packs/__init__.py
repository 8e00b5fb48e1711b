"""Many patterns: each layer's values as an array on disk, and what they have in common."""
