"""The trained arrays: what they are, statistics, orders, differences. Draws nothing."""
