"""A SavedModel is a program. What of it would run is read first, and must be known to be harmless.

Loading a SavedModel runs the initializers of its resources, and predicting runs its serving signature. Nothing else of
it is ever run. So the operators of these functions, and of all that they call, must be ones that only compute.

Source: tensorflow/core/protobuf/saved_object_graph.proto
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from onnx2graphml.errors import TRUST, ModelError
from onnx2graphml.frontends.repeatable import is_random

LARGEST = 1 << 31  # bytes: what Protocol Buffers can hold
SIGNATURE = "serving_default"

PLUMBING = frozenset(
    {
        *("AssignVariableOp", "Const", "DisableCopyOnRead", "Erfc", "If", "NoOp", "PartitionedCall", "ReadVariableOp"),
        *("ResourceGather", "StatefulPartitionedCall", "StatelessIf", "StatelessWhile", "VarHandleOp"),
        *("VarIsInitializedOp", "While"),
    }
)
"""What calls functions and keeps variables; tf2onnx knows these without handlers of their own."""

OUTSIDE = frozenset(
    {
        *("FIFOQueueV2", "HashTableV2", "IteratorGetNext", "IteratorV2", "LookupTableFindV2", "LookupTableSizeV2"),
        *("QueueDequeueManyV2", "QueueDequeueUpToV2", "QueueDequeueV2"),
    }
)
"""What tf2onnx has handlers for, and what reads from queues, tables or data sets all the same."""

HARMFUL = re.compile(
    "File|PyFunc|Debug|Dataset|Iterator|Remote|Rpc|Send|Recv|Summary|Print|Save|Restore|Checkpoint|ImmutableConst|"
    "RecordInput|Reader|Assets|LookupTableImport|LookupTableExport|InitializeTableFromText|CompositeTensorVariant"
)
"""Names of operators that touch files, processes, Python or the network; none of these may stand anywhere in it."""


def check_saved_model(folder: Path, harmless: Iterable[str]) -> None:
    """Refuse a SavedModel that does more than compute, before anything of it is loaded.

    Args:
        folder: with `saved_model.pb` in it.
        harmless: the operators that only compute, those that tf2onnx has handlers for.

    Raises:
        ModelError: names the operator and the function that has it; or the file can't be read.
    """
    graph = _meta_graph(folder)
    known = (frozenset(harmless) - OUTSIDE) | PLUMBING
    library = {f.signature.name: f for f in graph.graph_def.library.function}
    for name in _reached(library, _run(graph.object_graph_def)):
        for op in _operators(library, name):
            if op not in known and not is_random(op):  # which is refused later, and for that
                raise ModelError(_refusal(folder, op, name))
    saver = _of_the_saver(graph, library)
    for name in sorted(library.keys() - saver):
        for op in _operators(library, name):
            if HARMFUL.search(op) and op not in known:
                raise ModelError(_refusal(folder, op, name))


def _refusal(folder: Path, op: str, function: str) -> str:
    return (
        f"'{folder}': its function {function!r} has the operator {op}, which may do more than compute: it could read "
        f"or write files, or run code; if you trust the model, add {TRUST}"
    )


def _meta_graph(folder: Path) -> Any:
    """The one that is loaded: the only one that is tagged for serving."""
    from tensorflow.core.protobuf import saved_model_pb2

    path = folder / "saved_model.pb"
    try:
        if path.stat().st_size > LARGEST:
            raise ModelError(f"'{path}' has more than {LARGEST:,} bytes; no SavedModel has")
        proto = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except ModelError:
        raise
    except Exception as error:
        why = "there is no saved_model.pb" if isinstance(error, FileNotFoundError) else "its bytes can't be decoded"
        raise ModelError(f"'{folder}' can't be read as a SavedModel: {why}") from None
    if len(proto.meta_graphs) != 1 or not proto.meta_graphs[0].HasField("object_graph_def"):
        raise ModelError(
            f"'{folder}' is a SavedModel of TensorFlow 1, or has {len(proto.meta_graphs)} graphs, and can't be "
            f"checked: export it again with TensorFlow 2, or add {TRUST} if you trust it"
        )
    return proto.meta_graphs[0]


def _run(objects: Any) -> Iterator[str]:
    """The functions that loading and predicting run: the signature, what sets up resources, what restores variables."""
    nodes = objects.nodes
    chosen: list[int] = []
    for node in nodes:
        chosen += [c.node_id for c in node.children if c.local_name.startswith("_") or c.local_name == SIGNATURE]
        for saveable in node.saveable_objects.values():
            chosen += [saveable.save_function, saveable.restore_function]
    for position in chosen:
        if 0 <= position < len(nodes):
            yield from nodes[position].function.concrete_functions
            if name := nodes[position].bare_concrete_function.concrete_function_name:
                yield name


def _reached(library: Mapping[str, Any], roots: Iterable[str]) -> set[str]:
    """The functions, and those that they call."""
    found: set[str] = set()
    waiting = [name for name in roots if name in library]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [called for called in _called(library[name].node_def) if called in library]
    return found


def _called(nodes: Iterable[Any]) -> Iterator[str]:
    """The functions that nodes name, in whatever attribute, and those that an operator is called as."""
    for node in nodes:
        yield node.op
        for value in node.attr.values():
            yield from [value.func.name, *(f.name for f in value.list.func)]


def _operators(library: Mapping[str, Any], name: str) -> list[str]:
    """The operators in a function's body, without the functions among them."""
    return sorted({node.op for node in library[name].node_def} - library.keys())


def _of_the_saver(graph: Any, library: Mapping[str, Any]) -> set[str]:
    """The functions that save and restore variables: TensorFlow has them written into the graph, and none is run."""
    ends = {graph.saver_def.save_tensor_name.split(":")[0], graph.saver_def.restore_op_name}
    own = _reached(library, _called(n for n in graph.graph_def.node if n.name in ends))
    others = _reached(library, set(graph.object_graph_def.concrete_functions) | set(_run(graph.object_graph_def)))
    return own - others
