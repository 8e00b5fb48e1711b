"""A graph as an ONNX model again: what its nodes and edges say, as operators of the standard.

Nothing here reads the model that a graph was made from, but for the names, shapes and types of its inputs and outputs.
"""
