"""Formats for other tools, written and not read back: a file each, named as it. `flat.py` is what they share."""
