"""Parquet: a folder of tables."""

NODES = "_nodes/part-00000.parquet"
"""The file of the nodes. What reads the folder as one table passes over the underscore, and reads the edges."""
