"""GraphML: plain, gzip and Zstandard."""
