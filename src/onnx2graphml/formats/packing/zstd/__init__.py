"""Sequences as blocks of a Zstandard frame."""
