"""The network's layers as boxes and arrows."""
