"""Faults that were met in use with PyTorch modules: what is random, and what the exporter gets wrong, is refused."""

from __future__ import annotations

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import ModelError, UnsupportedError

torch = pytest.importorskip("torch")
nn = torch.nn

pytestmark = pytest.mark.slow  # each exports a module


class Sampling(nn.Module):
    """As a variational autoencoder: a mean, and noise around it."""

    def __init__(self, draw):
        super().__init__()
        self.mean, self.draw = nn.Linear(4, 2), draw

    def forward(self, x):
        mean = self.mean(x)
        return mean + self.draw(mean)


DRAWS = {
    "randn_like": torch.randn_like,
    "rand": lambda mean: torch.rand(1, 2),
    "normal": lambda mean: torch.normal(mean, 1.0),
    "bernoulli": lambda mean: torch.bernoulli(torch.full_like(mean, 0.5)),
    "little noise": lambda mean: 1e-6 * torch.randn_like(mean),
    "dropout that is always on": lambda mean: nn.functional.dropout(torch.ones(1, 64), training=True)[:, :2] + mean,
}


@pytest.mark.parametrize("draw", DRAWS)
def test_random_numbers_in_forward_are_refused(draw: str):
    with pytest.raises(
        UnsupportedError, match="draws random numbers or keeps count: two runs on the same inputs differ"
    ):
        o2g.from_torch(Sampling(DRAWS[draw]), (torch.ones(1, 4),))


def test_a_count_is_refused_and_put_back():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, x):
            self.calls += 1
            return x * self.calls

    module = Counting()
    with pytest.raises(UnsupportedError, match="draws random numbers or keeps count"):
        o2g.from_torch(module, (torch.ones(1, 4),))
    assert module.calls.item() == 0


def test_what_is_random_in_training_only_is_no_matter():
    graph = o2g.from_torch(nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.ReLU()).train(), (torch.ones(1, 4),))
    assert o2g.verify(graph).passed


class VectorNorm(nn.Module):
    """`weight_norm` of a vector, which the exporter takes for a matrix."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([0.3, -1.0, 2.0, 0.7]))
        nn.utils.parametrizations.weight_norm(self, "w", dim=0)

    def forward(self, x):
        return x * self.w


WRONG = {"divisor_override": lambda: nn.AvgPool2d(2, 2, divisor_override=3), "weight_norm of a vector": VectorNorm}
INPUTS = {"divisor_override": torch.ones(1, 1, 4, 4), "weight_norm of a vector": torch.ones(1, 4)}


@pytest.mark.parametrize("case", WRONG)
def test_what_the_exporter_gets_wrong_is_refused(case: str):
    with pytest.raises(
        ModelError, match=r"the framework and its ONNX export differ, in the end by 0\.\d+: the exporter"
    ):
        o2g.from_torch(WRONG[case](), (INPUTS[case],))
    graph = o2g.from_torch(WRONG[case](), (INPUTS[case],), check=False)  # the export's own graph, if that is wanted
    assert not o2g.verify(graph).passed  # and `verify`, which asks PyTorch, does not call it right


def test_the_layer_where_it_starts_is_named():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AvgPool2d(2, 2, divisor_override=3), nn.Flatten())
    with torch.no_grad():
        module[0].bias.fill_(1.0)
    with pytest.raises(ModelError, match=r"^layer '2': the framework and its ONNX export differ"):
        o2g.from_torch(module, (torch.ones(1, 1, 6, 6),))


def test_an_error_that_zeros_hide_is_found_on_a_perturbed_input():
    """A pool of zeros is zero, whatever it divides by."""
    with pytest.raises(ModelError, match="the framework and its ONNX export differ"):
        o2g.from_torch(nn.AvgPool2d(2, 2, divisor_override=3), (torch.zeros(1, 1, 4, 4),))


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm_that_is_exported_right_is_taken(dim: int | None):
    module = nn.utils.parametrizations.weight_norm(nn.Conv1d(3, 4, 3), dim=dim)
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 3, 8)).astype(np.float32))
    assert o2g.verify(o2g.from_torch(module, (x,))).passed


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_a_scripted_module_is_told_all_at_once():
    scripted = torch.jit.trace(nn.Linear(3, 2), torch.ones(1, 3))
    for pass_it in (o2g.load, lambda module: o2g.from_torch(module, (torch.ones(1, 3),))):
        with pytest.raises(ModelError, match=r"got a scripted module .*made from: .*from_torch\(module, \(x,\)\)$"):
            pass_it(scripted)
    with pytest.raises(ModelError, match=r"got Linear; .*a PyTorch module goes to from_torch"):  # the control
        o2g.load(nn.Linear(3, 2))


def test_a_prediction_in_bfloat16_is_an_array_of_float32():
    from onnx2graphml.frontends.torch import from_torch

    module, x = nn.Linear(3, 2).bfloat16(), torch.ones(1, 3, dtype=torch.bfloat16)
    (found,) = from_torch(module, (x,)).predict({"input": np.ones((1, 3), np.float32)})
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, module(x).detach().float())
