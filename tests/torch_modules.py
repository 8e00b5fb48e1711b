"""Every module of torch.nn: an instance with its example inputs, or the reason why it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

ROW, STEPS, PICTURE, VOLUME = (1, 5), (1, 6, 4), (1, 4, 8, 8), (1, 2, 4, 4, 4)
LINE = (1, 4, 8)

Case = tuple[nn.Module, tuple[torch.Tensor, ...]]


def some(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def tokens(count: int, steps: int) -> torch.Tensor:
    return torch.randint(0, count, (1, steps), generator=torch.Generator().manual_seed(0))


class First(nn.Module):
    """The first of a module's outputs."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        first: torch.Tensor = self.module(*inputs)[0]
        return first


class SelfAttention(nn.Module):
    """Queries, keys and values from the same steps."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.attention(x, x, x, need_weights=False)[0]
        return out


class Unpooled(nn.Module):
    """Maxima put back where they were."""

    def __init__(self, pool: nn.Module, unpool: nn.Module) -> None:
        super().__init__()
        self.pool, self.unpool = pool, unpool

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, where = self.pool(x)
        out: torch.Tensor = self.unpool(y, where)
        return out


def on(shape: tuple[int, ...], module: Callable[..., nn.Module], *options: Any, **more: Any) -> Callable[[], Case]:
    return lambda: (module(*options, **more), (some(*shape),))


def on_two(a: tuple[int, ...], b: tuple[int, ...], module: Callable[[], nn.Module]) -> Callable[[], Case]:
    return lambda: (module(), (some(*a), some(*b)))


POINTWISE = (
    "CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU", "LogSigmoid",
    "Mish", "PReLU", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softplus", "Softshrink", "Softsign", "Tanh",
    "Tanhshrink", "AlphaDropout", "Dropout", "Flatten",
)  # fmt: skip

MODULES: dict[str, Callable[[], Case]] = {
    **{name: on(STEPS, getattr(nn, name)) for name in POINTWISE},
    **{
        f"AdaptiveAvgPool{d}d": on(s, getattr(nn, f"AdaptiveAvgPool{d}d"), 2)
        for d, s in enumerate((LINE, PICTURE, VOLUME), 1)
    },
    **{
        f"AdaptiveMaxPool{d}d": on(s, getattr(nn, f"AdaptiveMaxPool{d}d"), 2)
        for d, s in enumerate((LINE, PICTURE, VOLUME), 1)
    },
    **{f"AvgPool{d}d": on(s, getattr(nn, f"AvgPool{d}d"), 2) for d, s in enumerate((LINE, PICTURE, VOLUME), 1)},
    **{f"MaxPool{d}d": on(s, getattr(nn, f"MaxPool{d}d"), 2) for d, s in enumerate((LINE, PICTURE, VOLUME), 1)},
    **{f"LPPool{d}d": on(s, getattr(nn, f"LPPool{d}d"), 2, 2) for d, s in enumerate((LINE, PICTURE, VOLUME), 1)},
    **{f"BatchNorm{d}d": on(s, getattr(nn, f"BatchNorm{d}d"), s[1]) for d, s in enumerate((LINE, PICTURE, VOLUME), 1)},
    **{
        f"InstanceNorm{d}d": on(s, getattr(nn, f"InstanceNorm{d}d"), s[1], affine=True)
        for d, s in enumerate((LINE, PICTURE, VOLUME), 1)
    },
    **{f"Conv{d}d": on(s, getattr(nn, f"Conv{d}d"), s[1], 3, 3) for d, s in enumerate((LINE, PICTURE, VOLUME), 1)},
    **{
        f"ConvTranspose{d}d": on(s, getattr(nn, f"ConvTranspose{d}d"), s[1], 3, 3, stride=2)
        for d, s in enumerate((LINE, PICTURE, VOLUME), 1)
    },
    **{f"Dropout{d}d": on(s, getattr(nn, f"Dropout{d}d")) for d, s in enumerate((LINE, PICTURE, VOLUME), 1)},
    **{
        f"{kind}Pad{d}d": on(s, getattr(nn, f"{kind}Pad{d}d"), 1, *([0.5] if kind == "Constant" else []))
        for kind in ("Circular", "Constant", "Reflection", "Replication", "Zero")
        for d, s in enumerate((LINE, PICTURE, VOLUME), 1)
    },
    **{
        f"MaxUnpool{d}d": lambda d=d, s=s: (
            Unpooled(getattr(nn, f"MaxPool{d}d")(2, return_indices=True), getattr(nn, f"MaxUnpool{d}d")(2)),
            (some(*s),),
        )
        for d, s in enumerate((LINE, PICTURE, VOLUME), 1)
    },
    "Bilinear": on_two((1, 3), (1, 4), lambda: nn.Bilinear(3, 4, 2)),
    "ChannelShuffle": on(PICTURE, nn.ChannelShuffle, 2),
    "CosineSimilarity": on_two(ROW, ROW, nn.CosineSimilarity),
    "CrossMapLRN2d": on(PICTURE, nn.CrossMapLRN2d, 3),
    "Embedding": lambda: (nn.Embedding(11, 4), (tokens(11, 6),)),
    "EmbeddingBag": lambda: (nn.EmbeddingBag(11, 4), (tokens(11, 6),)),
    "FeatureAlphaDropout": on(PICTURE, nn.FeatureAlphaDropout),
    "Fold": on((1, 4 * 4, 9), nn.Fold, (4, 4), 2),
    "FractionalMaxPool2d": on(PICTURE, nn.FractionalMaxPool2d, 2, output_size=3),
    "FractionalMaxPool3d": on(VOLUME, nn.FractionalMaxPool3d, 2, output_size=2),
    "GLU": on(STEPS, nn.GLU),
    "GRU": lambda: (First(nn.GRU(4, 3, bidirectional=True, batch_first=True)), (some(*STEPS),)),
    "GRUCell": lambda: (nn.GRUCell(5, 3), (some(*ROW),)),
    "GroupNorm": on(PICTURE, nn.GroupNorm, 2, 4),
    "LSTM": lambda: (First(nn.LSTM(4, 3, num_layers=2, bidirectional=True, batch_first=True)), (some(*STEPS),)),
    "LSTMCell": lambda: (First(nn.LSTMCell(5, 3)), (some(*ROW),)),
    "LayerNorm": on(STEPS, nn.LayerNorm, 4),
    "Linear": on(ROW, nn.Linear, 5, 3),
    "LocalResponseNorm": on(PICTURE, nn.LocalResponseNorm, 3),
    "LogSoftmax": on(STEPS, nn.LogSoftmax, dim=-1),
    "MultiheadAttention": lambda: (SelfAttention(), (some(1, 5, 8),)),
    "PairwiseDistance": on_two(ROW, ROW, nn.PairwiseDistance),
    "PixelShuffle": on(PICTURE, nn.PixelShuffle, 2),
    "PixelUnshuffle": on(PICTURE, nn.PixelUnshuffle, 2),
    "RMSNorm": on(STEPS, nn.RMSNorm, 4),
    "RNN": lambda: (First(nn.RNN(4, 3, nonlinearity="relu", batch_first=True)), (some(*STEPS),)),
    "RNNCell": lambda: (nn.RNNCell(5, 3), (some(*ROW),)),
    "Softmax": on(STEPS, nn.Softmax, dim=1),
    "Softmax2d": on(PICTURE, nn.Softmax2d),
    "Softmin": on(STEPS, nn.Softmin, dim=-1),
    "SyncBatchNorm": on(PICTURE, nn.SyncBatchNorm, 4),
    "Threshold": on(STEPS, nn.Threshold, 0.1, -1.0),
    "Transformer": on_two((1, 5, 8), (1, 4, 8), lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True)),
    "TransformerDecoder": on_two(
        (1, 5, 8), (1, 4, 8), lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 1)
    ),
    "TransformerDecoderLayer": on_two(
        (1, 5, 8), (1, 4, 8), lambda: nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
    ),
    "TransformerEncoder": on(
        (1, 5, 8), lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1)
    ),
    "TransformerEncoderLayer": on((1, 5, 8), nn.TransformerEncoderLayer, 8, 2, 16, batch_first=True),
    "Unflatten": on((1, 6, 4), nn.Unflatten, 1, (2, 3)),
    "Unfold": on(PICTURE, nn.Unfold, 3),
    "Upsample": on(PICTURE, nn.Upsample, scale_factor=2, mode="bicubic"),
    "UpsamplingBilinear2d": on(PICTURE, nn.UpsamplingBilinear2d, scale_factor=2),
    "UpsamplingNearest2d": on(PICTURE, nn.UpsamplingNearest2d, scale_factor=2),
}

NO_MODULES = {
    "AdaptiveLogSoftmaxWithLoss", "Container", "DataParallel", "Module", "ModuleDict", "ModuleList", "NLLLoss2d",
    "ParameterDict", "ParameterList", "RNNBase", "RNNCellBase", "Sequential",
}  # fmt: skip
"""Bases and containers. Losses and lazy modules, which become others, are left out by their names."""


def every_module() -> set[str]:
    """The names of all modules that compute something of an input alone."""
    found = {n for n, c in vars(nn).items() if isinstance(c, type) and issubclass(c, nn.Module)}
    return {n for n in found - NO_MODULES if not n.startswith("Lazy") and not n.endswith("Loss")}


REFUSED = {
    "AdaptiveAvgPool3d": "PyTorch can't export the module",
    "CrossMapLRN2d": "PyTorch can't export the module",
    "FractionalMaxPool2d": "PyTorch can't export the module",
    "FractionalMaxPool3d": "PyTorch can't export the module",
    "RReLU": "PyTorch can't export the module",
}
"""With what message; the page of frameworks says why."""
