"""Text models with random weights, in the shapes of BERT, GPT-2, DistilBERT and a character LSTM, of any size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Size:
    """How large a transformer is."""

    layers: int = 2
    width: int = 16
    heads: int = 2
    words: int = 40
    steps: int = 8


BASE = Size(12, 768, 12, 30522, 128)
"""Of BERT's base model, at 128 tokens; GPT-2 has more words, DistilBERT half the layers."""


class Bert(nn.Module):
    """Words, places and segments; layers that normalize after each part; the first token's answer."""

    def __init__(self, size: Size, segments: bool = True) -> None:
        super().__init__()
        self.words = nn.Embedding(size.words, size.width)
        self.places = nn.Embedding(size.steps, size.width)
        self.segments = nn.Embedding(2, size.width) if segments else None
        self.norm = nn.LayerNorm(size.width, eps=1e-12)
        one = nn.TransformerEncoderLayer(
            size.width, size.heads, 4 * size.width, dropout=0.0, activation="gelu", batch_first=True
        )
        self.encoder = nn.TransformerEncoder(one, size.layers, enable_nested_tensor=False)
        self.pooler = nn.Linear(size.width, size.width)
        self.register_buffer("numbers", torch.arange(size.steps)[None])

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.words(ids) + self.places(self.numbers)
        if self.segments is not None:
            x = x + self.segments(torch.zeros_like(ids))
        return torch.tanh(self.pooler(self.encoder(self.norm(x))[:, 0]))


class Block(nn.Module):
    """A layer of GPT-2: it normalizes before each part, and no token sees a later one."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.norm1, self.norm2 = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.projections = nn.Linear(size.width, 3 * size.width)
        self.out = nn.Linear(size.width, size.width)
        self.wide = nn.Linear(size.width, 4 * size.width)
        self.narrow = nn.Linear(4 * size.width, size.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, width = x.shape
        parts = self.projections(self.norm1(x)).split(width, dim=2)
        q, k, v = (p.view(batch, steps, self.heads, width // self.heads).transpose(1, 2) for p in parts)
        context = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(context.transpose(1, 2).reshape(batch, steps, width))
        return x + self.narrow(nn.functional.gelu(self.wide(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    """What the next word may be, for every place; the last matrix is the words' own."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.words = nn.Embedding(size.words, size.width)
        self.places = nn.Embedding(size.steps, size.width)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.register_buffer("numbers", torch.arange(size.steps)[None])

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.words(ids) + self.places(self.numbers)
        for block in self.blocks:
            x = block(x)
        return self.norm(x) @ self.words.weight.T


class Characters(nn.Module):
    """What the next character may be after a text, by an LSTM."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.characters = nn.Embedding(size.words, size.width)
        self.lstm = nn.LSTM(size.width, size.width, batch_first=True)
        self.out = nn.Linear(size.width, size.words)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.out(self.lstm(self.characters(ids))[0][:, -1])


MODELS = {
    "bert": lambda size: Bert(size),
    "gpt": lambda size: Gpt(size),
    "distilbert": lambda size: Bert(size, segments=False),
    "characters": lambda size: Characters(size),
}


def made(name: str, size: Size) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """A model, and a text."""
    torch.manual_seed(0)
    return MODELS[name](size).eval(), (torch.randint(0, size.words, (1, size.steps)),)


def matrix_edges(name: str, size: Size) -> int:
    """How many edges the matrix products of a model have, worked out by hand.

    A token of a transformer's layer takes 12 · width² weights: 4 for queries, keys, values and what leaves attention, 8
    for the two wider ones. A score, and a number that it gathers, is a sum of products of two neurons each.
    """
    steps, words, width = size.steps, size.words, size.width
    embedding = steps * words * width
    if name == "characters":  # the first step has no state, and so no forget gate
        return embedding + 3 * width**2 + (steps - 1) * 8 * width**2 + width * words
    each = 12 * steps * width**2 + 2 * 2 * steps**2 * width
    last = embedding if name == "gpt" else width**2  # every place's next word, or the first token's answer
    return embedding + size.layers * each + last
