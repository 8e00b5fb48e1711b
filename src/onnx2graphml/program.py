"""Whose process this is."""

alone = False
"""Whether nobody else uses it, so that nothing need be loaded for others: the command line says so."""
