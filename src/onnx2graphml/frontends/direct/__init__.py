"""Keras' own layers as ONNX, from what a .keras file says of them: neither Keras nor TensorFlow is imported.

A function for each layer, named as Keras names it, makes the nodes that the way through TensorFlow arrives at. What no
function knows exactly (another class, another option, another type) is not guessed: the file then goes that way.
"""
