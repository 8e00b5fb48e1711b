"""The trained arrays: what they are, drawn, ordered, measured."""
