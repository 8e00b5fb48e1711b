"""Parquet: a folder of tables."""
