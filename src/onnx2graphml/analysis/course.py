"""The same measures at every checkpoint of a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from onnx2graphml.analysis.analysis import Analysis
from onnx2graphml.errors import Error
from onnx2graphml.graph.table import Table
from onnx2graphml.text import number


@dataclass(frozen=True, eq=False)
class Course:
    """Measures through training.

    Attributes:
        epochs: the analysis of each checkpoint, by its name, in order.
    """

    epochs: Mapping[str, Analysis]

    @property
    def last(self) -> Analysis:
        """That of the last checkpoint."""
        return list(self.epochs.values())[-1]

    def medians(self, measure: str) -> dict[str, list[float]]:
        """A measure's median in each layer, epoch by epoch."""
        found: dict[str, list[float]] = {layer.name: [] for layer in self.last.graph.layers}
        for analysis in self.epochs.values():
            for s in analysis.layers:
                if s.measure == measure:
                    found[s.layer].append(s.median)
        return found

    def table(self) -> Table:
        """A row for each layer and measure that training has changed: its median at the first and the last epoch."""
        first, *_, last = self.epochs
        rows = []
        for measure in self.last.values:
            for layer, values in self.medians(measure).items():
                if len(set(values)) > 1:
                    rows.append((layer, measure, number(values[0]), number(values[-1])))
        return Table(("layer", "measure", f"median at {first}", f"at {last}"), tuple(rows), "<<>>")


def follow(
    names: Sequence[str], analyze: Callable[[str], Analysis], progress: Callable[[int, int, str], None] | None = None
) -> Course:
    """Analyze every checkpoint.

    Args:
        names: of checkpoints, in order; two or more.
        analyze: the analysis of one, by its name.

    Raises:
        Error: there is one checkpoint, or their layers differ.
    """
    if len(names) < 2:
        raise Error(f"there is one checkpoint, {names[0]!r}; expected two or more, or give the file itself")
    found: dict[str, Analysis] = {}
    for k, name in enumerate(names):
        found[name] = analyze(name)
        shapes = [[(layer.name, layer.shape) for layer in a.graph.layers] for a in (found[names[0]], found[name])]
        if shapes[0] != shapes[1]:
            raise Error(f"the layers of {name!r} are not those of {names[0]!r}; expected checkpoints of one network")
        if progress is not None:
            progress(k + 1, len(names), name)
    return Course(found)
