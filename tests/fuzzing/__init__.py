"""Broken files by the thousand; see tools/fuzz_files.py."""
