"""Products of blocks on a GPU. Nothing is imported from here unless a device is asked for."""
