"""What a frontend writes into an ONNX model, so that it survives a file: layers, order, layout.

- on a node, `LAYER`: the name of the framework's layer that the node comes from; absent where there is none;
- on the model, `LAYERS`: a JSON list, in the framework's order, of `{"name", "class", "shape"}`, the shape that the
  framework shows without the batch axis (absent when the layer has several outputs);
- on the model, `CHANNELS_LAST`: `"true"` where the framework shows (row, column, channel);
- on the model, `TRAINED`: a JSON list of the names of the initializers that training changes. Absent where that is not
  known.
"""

LAYER = "onnx2graphml.layer"
LAYERS = "onnx2graphml.layers"
CHANNELS_LAST = "onnx2graphml.channels_last"
TRAINED = "onnx2graphml.trained"

LARGE = 1 << 16
"""Elements of a weight that is kept once, as an array beside the model: in it, it would be a copy."""
