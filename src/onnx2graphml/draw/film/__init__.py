"""The same input at several epochs: strips and films."""
