"""Clusterability: how well the channels of a network fall into groups, beside networks with shuffled weights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.channel_graph import ChannelGraph, channel_graph
from onnx2graphml.measures.lanczos import eigenpair
from onnx2graphml.measures.values import Array, NodeValues

STARTS, ROUNDS = 10, 300  # of k-means


@dataclass(frozen=True, eq=False)
class Clusterability:
    """Groups of channels.

    Attributes:
        cut: their normalised cut, from 0 (nothing joins them) to k.
        labels: the group of every neuron, which is that of its channel; -1 where no weight joins it.
        shuffled: the normalised cuts of the networks with shuffled weights.
    """

    cut: float
    labels: NodeValues
    shuffled: tuple[float, ...]

    @property
    def p_value(self) -> float:
        """The share of networks, this one among them, that are cut at least as well; NaN without shuffled ones."""
        below = sum(cut <= self.cut for cut in self.shuffled)
        return (below + 1) / (len(self.shuffled) + 1) if self.shuffled else math.nan


def clusterability(graph: NeuronGraph, k: int = 12, shuffles: int = 0, seed: int = 0) -> Clusterability:
    """Groups of channels by spectral clustering, and their normalised cut.

    Channels are joined by the L1 norm of the kernel between them, neurons of dense layers by |weight|; layers that only
    hand values on, such as pools, are left out. The groups are found by k-means on the first k eigenvectors of the
    normalised Laplacian: a good partition, not surely the best.

    Args:
        k: the number of groups.
        shuffles: how many networks to compare with, whose layers' weights are permuted.
        seed: for the shuffles and for k-means.

    Raises:
        Error: there are fewer channels than groups.
        UnsupportedError: a layer joins channels without weights, as additions in residual networks do.

    Source: Filan, Casper, Hod, Wild, Critch and Russell, Clusterability in neural networks, 2021; Shi and Malik, 2000.
    """
    random = np.random.default_rng(seed)
    channels = channel_graph(graph)
    groups, cut = _clustered(channels, k, random)
    shuffled = [_clustered(channel_graph(graph, random), k, random)[1] for _ in range(shuffles)]
    labels = np.concatenate([groups[channels.labels[layer.name]] for layer in graph.layers])
    return Clusterability(cut, NodeValues(graph, labels), tuple(shuffled))


def _clustered(channels: ChannelGraph, k: int, random: np.random.Generator) -> tuple[Array, float]:
    """The group of every channel, -1 where nothing joins it, and the normalised cut."""
    degrees = _times(channels, np.ones(channels.count))
    joined = degrees > 0
    if np.count_nonzero(joined) < k or k < 1:
        raise Error(f"k is {k}; expected 1 to {np.count_nonzero(joined)}, the number of channels that weights join")
    roots = np.divide(1.0, np.sqrt(degrees), out=np.zeros(channels.count), where=joined)
    found: list[Array] = []
    for _ in range(k):  # shifted by the identity, so that the largest are the largest in size, too
        found.append(eigenpair(lambda v: v * joined + roots * _times(channels, roots * v), channels.count, found)[1])
    places = (np.array(found).T * roots[:, None])[joined]
    groups = np.full(channels.count, -1)
    groups[joined] = _k_means(places, k, random)
    return groups, _cut(channels, groups, degrees, k)


def _times(channels: ChannelGraph, x: Array) -> Array:
    """The symmetric matrix of the channel graph times a vector."""
    y = np.zeros(channels.count)
    for source, target, sums in channels.matrix_blocks():
        y[target : target + sums.shape[1]] += x[source : source + sums.shape[0]] @ sums
        y[source : source + sums.shape[0]] += sums @ x[target : target + sums.shape[1]]
    return y


def _cut(channels: ChannelGraph, groups: Array, degrees: Array, k: int) -> float:
    total = 0.0
    for group in range(k):
        own = (groups == group).astype(np.float64)
        volume = float(degrees @ own)
        total += (volume - float(own @ _times(channels, own))) / volume if volume else 0.0
    return total


def _k_means(places: Array, k: int, random: np.random.Generator) -> Array:
    """The best of some runs of Lloyd's method, each from centres that are drawn far from each other."""
    best, labels = np.inf, np.zeros(len(places), np.int64)
    for _ in range(STARTS):
        centres = _far_apart(places, k, random)
        own = _nearest(places, centres)
        for _ in range(ROUNDS):
            centres = np.array([places[own == c].mean(0) if (own == c).any() else centres[c] for c in range(k)])
            before, own = own, _nearest(places, centres)
            if np.array_equal(before, own):
                break
        spread = float(((places - centres[own]) ** 2).sum())
        if spread < best:
            best, labels = spread, own
    return labels


def _far_apart(places: Array, k: int, random: np.random.Generator) -> Array:
    """Centres as k-means++ draws them: in proportion to the squared distance from those that there are."""
    centres = [places[random.integers(len(places))]]
    while len(centres) < k:
        distance = np.min([((places - c) ** 2).sum(1) for c in centres], axis=0)
        chosen = random.choice(len(places), p=distance / distance.sum()) if distance.sum() > 0 else len(centres)
        centres.append(places[chosen])
    return np.array(centres)


def _nearest(places: Array, centres: Array) -> Array:
    return np.asarray(np.argmin([((places - c) ** 2).sum(1) for c in centres], axis=0))
