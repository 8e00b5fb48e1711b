"""What inputs make of the layers, recorded on disk. Draws nothing."""
