"""What the layers make of an input, as pictures."""
