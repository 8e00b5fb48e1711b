"""The same pattern through a network while it learns."""
