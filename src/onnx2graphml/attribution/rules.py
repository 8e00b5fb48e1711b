"""Rules of attribution: how a neuron's relevance is shared out among its in-edges.

What goes along an edge u -> v is, for every rule here, a sum of scaled weights:

    flow = Σ over parts of   target_scale[v] · f(weight) · s(value[u])

so no flow needs to be stored. A rule is a list of groups. Each group shares out the relevance of v in proportion to its
parts; the bias takes its share. The groups are weighed by their coefficients.

Sources: Bach et al. 2015 (LRP, αβ), Montavon et al. 2019 (ε, γ), Ameisen et al. 2025 (influence).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, did_you_mean

Values = npt.NDArray[np.float64]
Function = Callable[[Values], Values]


def same(x: Values) -> Values:
    return x


def positive(x: Values) -> Values:
    return np.maximum(x, 0)


def negative(x: Values) -> Values:
    return np.minimum(x, 0)


@dataclass(frozen=True)
class Group:
    """Contributions among which a share of the relevance is divided.

    Attributes:
        parts: pairs of a function of the weight and one of the source's value; a contribution is the sum of products.
        bias: what of the neuron's bias counts among them.
        coefficient: the share of the relevance.
        epsilon: is added to the sum of contributions, in its own direction: that share is lost.
    """

    parts: tuple[tuple[Function, Function], ...]
    bias: Function = same
    coefficient: float = 1.0
    epsilon: float = 0.0


@dataclass(frozen=True)
class Rule:
    """A rule of attribution.

    Attributes:
        groups: none for gradients, which need no shares.
        conserves: what is true of its sums.
    """

    groups: tuple[Group, ...]
    conserves: str


RAISING = ((positive, positive), (negative, negative))
LOWERING = ((negative, positive), (positive, negative))


def lrp_epsilon(epsilon: float = 0.0) -> Rule:
    """LRP-0, or LRP-ε: in proportion to weight · value."""
    kept = "relevances of a layer and biases add to the target's" + (", less what ε takes" if epsilon else "")
    return Rule((Group(((same, same),), epsilon=epsilon),), kept)


def lrp_gamma(gamma: float = 0.25) -> Rule:
    """LRP-γ: contributions above 0 count 1 + γ times."""
    scaled = tuple((w, lambda x, a=a: gamma * a(x)) for w, a in RAISING)
    bias = lambda b: b + gamma * positive(b)  # noqa: E731
    return Rule((Group(((same, same), *scaled), bias),), "relevances of a layer and biases add to the target's")


def alpha_beta(alpha: float = 2.0, beta: float = 1.0) -> Rule:
    """LRP-αβ: what raises the neuron and what lowers it, each on its own; α - β = 1."""
    if abs(alpha - beta - 1) > 1e-12:
        raise Error(f"alpha is {alpha} and beta {beta}; expected alpha - beta = 1")
    return Rule(
        (Group(RAISING, positive, alpha), Group(LOWERING, negative, -beta)),
        "relevances of a layer and biases add to the target's, where each neuron has contributions of both signs",
    )


RULES: dict[str, Rule] = {
    "gradient": Rule((), "in a piecewise linear network, relevances of inputs and biases add to the target's value"),
    "lrp-0": lrp_epsilon(),
    "lrp-epsilon": lrp_epsilon(1e-2),
    "lrp-gamma": lrp_gamma(),
    "alpha-beta": alpha_beta(),
    "influence": Rule((Group(((np.abs, np.abs),), np.abs),), "influences of inputs and biases add to 1"),
}
"""By name. `gradient` is gradient · input; `influence` shares out by absolute contributions, and starts from 1."""


def find(rule: str | Rule) -> Rule:
    """The rule of that name."""
    if isinstance(rule, Rule):
        return rule
    if rule not in RULES:
        raise Error(f"rule is {rule!r}; expected one of {', '.join(RULES)}{did_you_mean(rule, RULES)}")
    return RULES[rule]
