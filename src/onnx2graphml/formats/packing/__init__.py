"""Compressed text made of lines that resemble each other, as standard streams: what is alike is known beforehand."""
