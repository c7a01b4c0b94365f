"""A layer: a tensor with a unit axis, and the output that names the categories."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """A named tensor of the graph whose units can be recorded.

    Attributes
    ----------
    name
        Unique and stable for the same file: the module's path where the exporter wrote one.
    tensor
        The ONNX value that is tapped.
    kind
        ``conv`` (units × positions), ``tokens`` ([N, T, D]), ``vector`` (one value a unit) or
        ``logits`` (a vector with a value per category).
    units
        Number of units.
    shape
        Of the tensor without its batch axis.
    axis
        The unit axis in the full tensor, the batch axis being 0.
    op
        What makes the values: ``Relu``, ``Gelu``, ``Add``, ``Conv``, …
    role
        ``activation``, ``add``, ``norm``, ``concat``, ``linear``, ``pool``, …
    signed
        Whether values below zero can occur.
    default
        Whether it is recorded when nothing else is asked for.
    aliases
        Other names: outer and inner modules with the same output, tensors with equal values.
    class_token
        Whether the first token stands for the whole image.
    prefix_tokens
        How many tokens precede the patches (class, distillation and register tokens).
    """

    name: str
    tensor: str
    kind: str
    units: int
    shape: tuple[int, ...]
    axis: int
    op: str
    role: str
    signed: bool
    default: bool
    aliases: tuple[str, ...] = ()
    class_token: bool = False
    prefix_tokens: int = 0

    @property
    def positions(self) -> int:
        """Values a unit has for one image before they are reduced."""
        count = 1
        for size in self.shape:
            count *= size
        return count // max(self.units, 1)

    @property
    def kilobytes(self) -> float:
        """Size of the unreduced tensor for one image, in kB (1,000 bytes) of float32."""
        return self.units * self.positions * 4 / 1000


@dataclass(frozen=True)
class Output:
    """The classification output.

    Attributes
    ----------
    tensor
        The graph's output, as the model gives it.
    logits
        The tensor that is recorded: the one before Softmax or LogSoftmax, Cast and Identity.
    kind
        How to read the values of `logits`: ``logits`` (softmax makes them probabilities),
        ``log_softmax``, ``softmax`` (they are probabilities), ``sigmoid`` (each one is a
        probability by itself).
    classes
        Number of categories.
    """

    tensor: str
    logits: str
    kind: str
    classes: int
