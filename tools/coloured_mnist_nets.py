"""The two example networks for coloured MNIST, in PyTorch.

Each block is one module that ends in the tensor worth looking at, since the exporter names tensors
by the module that made them: ``linear1`` *is* the rectified activity, as in the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 10
SIDE = 28


class PooledConvolution(nn.Conv2d):
    """Convolution, in training dropout of whole maps, 2x2 maximum, rectification."""

    def __init__(self, inputs: int, outputs: int, *, dropout: float = 0.0) -> None:
        super().__init__(inputs, outputs, kernel_size=5)
        self.dropout = dropout

    def forward(self, images: Tensor) -> Tensor:
        """Map [N, inputs, H, W] to rectified [N, outputs, (H-4)/2, (W-4)/2]."""
        maps = functional.dropout2d(super().forward(images), self.dropout, self.training)
        return functional.relu(functional.max_pool2d(maps, 2))


class RectifiedLinear(nn.Linear):
    """A linear map and its rectification: the output is never negative."""

    def forward(self, features: Tensor) -> Tensor:
        """Map [N, in_features] to rectified [N, out_features]."""
        return functional.relu(super().forward(features))


class ColouredMnistCnn(nn.Module):
    """The paper's network: two convolutions, 50 rectified units, ten log-probabilities."""

    output_name = "log_probabilities"

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = PooledConvolution(3, 10)
        self.conv2 = PooledConvolution(10, 20, dropout=0.5)
        self.linear1 = RectifiedLinear(320, 50)
        self.dropout = nn.Dropout(0.5)
        self.linear2 = nn.Linear(50, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [N, 3, 28, 28] in 0..1 to log-probabilities [N, 10]."""
        features = self.conv2(self.conv1(images)).flatten(1)
        return functional.log_softmax(self.linear2(self.dropout(self.linear1(features))), dim=1)


class Attention(nn.Module):
    """Self-attention over all tokens with several heads."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Mix tokens [N, tokens, width]; the shape stays."""
        _, count, width = tokens.shape
        split = self.query_key_value(tokens).view(-1, count, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(-2, -1) / (width // self.heads) ** 0.5
        mixed = scores.softmax(dim=-1) @ value
        return self.projection(mixed.transpose(1, 2).reshape(-1, count, width))


class Mlp(nn.Module):
    """Two linear maps with a GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.gelu = nn.GELU()
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map tokens [N, tokens, width], each on its own; the shape stays."""
        return self.fc2(self.gelu(self.fc1(tokens)))


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = Mlp(width, 4 * width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Add attention and MLP to tokens [N, tokens, width]; the shape stays."""
        tokens = tokens + self.attention(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class ColouredMnistVit(nn.Module):
    """A small vision transformer: 49 patches of 4x4 and a class token, 64 wide, 4 blocks."""

    output_name = "logits"

    def __init__(self, *, patch: int = 4, width: int = 64, depth: int = 4, heads: int = 4) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, kernel_size=patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, (SIDE // patch) ** 2 + 1, width))
        nn.init.trunc_normal_(self.class_token, std=0.02)
        nn.init.trunc_normal_(self.positions, std=0.02)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Map images [N, 3, 28, 28] in 0..1 to logits [N, 10]."""
        patches = self.patches(images).flatten(2).transpose(1, 2)
        first = self.class_token.expand(patches.shape[0], -1, -1)
        tokens = torch.cat([first, patches], dim=1) + self.positions
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.norm(tokens)[:, 0])
