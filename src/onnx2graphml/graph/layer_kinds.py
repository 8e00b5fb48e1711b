"""What a layer is in the framework's words: its type, and the window of a convolution or a pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.model import Model, Node

CONVOLUTIONS = ("Conv", "ConvTranspose")
POOLS = ("MaxPool", "AveragePool", "LpPool")


@dataclass(frozen=True)
class Kind:
    """What a layer is.

    Attributes:
        type: the framework's type, such as `Conv2D`; empty where it is not known.
        kernel: the window's size along each dimension; empty where there is none.
        stride, dilation: the same; empty where all are 1.
        groups: of a convolution.
    """

    type: str = ""
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1

    @property
    def window(self) -> str:
        """The window in words.

        Example:
            >>> Kind("Conv2D", (3, 3), (2, 2), groups=32).window
            '3×3, stride 2, 32 groups'
        """
        words = ["×".join(map(str, self.kernel))] if self.kernel else []
        for name, sizes in (("stride", self.stride), ("dilation", self.dilation)):
            if sizes:
                words.append(f"{name} {'×'.join(map(str, sizes if len(set(sizes)) > 1 else sizes[:1]))}")
        return ", ".join([*words, *([f"{self.groups} groups"] if self.groups > 1 else [])])


def layer_kinds(graph: NeuronGraph) -> dict[str, Kind]:
    """By name, what each layer is; of a graph that was made from no model, nothing is known.

    Example:
        >>> import onnx2graphml
        >>> kinds = layer_kinds(onnx2graphml.load("fixtures/digits.onnx"))
        >>> kinds["conv1"].window, kinds["maxpool"].window
        ('3×3', '2×2, stride 2')
    """
    model = graph.model
    if model is None:
        return {layer.name: Kind() for layer in graph.layers}
    nodes = layer_nodes(graph, model)
    return {layer.name: _kind(layer, nodes[layer.name], model, graph.detail) for layer in graph.layers}


def layer_nodes(graph: NeuronGraph, model: Model) -> dict[str, list[Node]]:
    """The nodes of each layer: those between its tensor and other layers' tensors, each at the first that meets it."""
    maker = {o: k for k, node in enumerate(model.nodes) for o in node.outputs}
    tensors = {layer.provenance.tensor for layer in graph.layers}
    taken: set[int] = set()
    owned: dict[str, list[Node]] = {}
    for layer in graph.layers:
        mine, waiting = set[int](), [layer.provenance.tensor]
        while waiting:
            k = maker.get(waiting.pop())
            if k is None or k in taken:
                continue
            taken.add(k)
            mine.add(k)
            waiting += [i for i in model.nodes[k].inputs if i not in tensors]
        owned[layer.name] = [model.nodes[k] for k in sorted(mine)]
    return owned


def _kind(layer: Layer, nodes: Sequence[Node], model: Model, detail: str) -> Kind:
    name = model.layer_classes.get(layer.provenance.scope or layer.name, "") if detail == "layer" else ""
    node = next((node for node in nodes if node.op in (*CONVOLUTIONS, *POOLS)), None)
    if node is None:
        return Kind(name)
    kernel = tuple(node.attributes.get("kernel_shape", ()))
    if not kernel and node.op in CONVOLUTIONS and node.inputs[1] in model.constants:
        kernel = model.constants[node.inputs[1]].shape[2:]
    first = len(kernel) - 1 if len(layer.spatial) == 2 and set(kernel[:-1]) <= {1} else 0  # carried out along two
    stride, dilation = (_unless_one(node.attributes, key)[first:] for key in ("strides", "dilations"))
    return Kind(name, kernel[first:], stride, dilation, int(node.attributes.get("group", 1)))


def _unless_one(attributes: Mapping[str, object], key: str) -> tuple[int, ...]:
    found = attributes.get(key)
    sizes = tuple(int(n) for n in found) if isinstance(found, list | tuple) else ()
    return sizes if set(sizes) - {1} else ()
