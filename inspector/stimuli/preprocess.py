"""The steps between an image and a model's input, and the presets everybody knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from inspector.stimuli.errors import PreprocessError
from inspector.stimuli.resample import RESAMPLES

SCALES = {"unit": (0.0, 1.0), "signed": (-1.0, 1.0), "raw": (0.0, 255.0)}

_CHOICES = {
    "scale": ("none", *SCALES),
    "resample": RESAMPLES,
    "centre": ("floor", "round"),
    "order": ("rgb", "bgr"),
}
_MOST_PIXELS = 65_535


@dataclass(frozen=True)
class Preprocess:
    """The steps between an image and a model's input, in the order of their application.

    Attributes
    ----------
    scale : str
        `none` hands arrays to the model unchanged (dtype and shape must fit); `unit` maps the
        pixels 0..255 to 0..1, `signed` to -1..1, `raw` leaves them as 0..255.
    short_side : int or None
        Length that the image's shorter side is resized to, its shape kept.
    crop : int, (int, int) or None
        Side of the square, or height and width, cut from the centre after resizing.
    mean, std : tuple of float or None
        Subtracted from, and divided into, each channel (red, green, blue) after scaling.
    size : (int, int) or None
        Height and width that the image is resized to whatever its shape, instead of `short_side`.
        Without either, and without a crop, it is resized to the model's input.
    resample : str
        How to resize, by Pillow's names; see :data:`inspector.stimuli.RESAMPLES`.
    centre : {"floor", "round"}
        Where a crop with an odd margin begins: `floor` as Hugging Face has it, `round` (halves to
        the even pixel) as torchvision and timm have it.
    order : {"rgb", "bgr"}
        Order of the channels that the model takes.
    """

    scale: str = "unit"
    short_side: int | None = None
    crop: int | tuple[int, int] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    size: tuple[int, int] | None = None
    resample: str = "bilinear"
    centre: str = "floor"
    order: str = "rgb"

    def __post_init__(self) -> None:
        for name, known in _CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise PreprocessError(f"preprocessing {name} {value!r}: choose {', '.join(known)}")
        for name in ("short_side", "crop", "size"):
            value = getattr(self, name)
            sides = value if isinstance(value, tuple) and name != "short_side" else (value,)
            pair = len(sides) == 2 or (len(sides) == 1 and name != "size")
            if value is not None and not (pair and all(map(_is_side, sides))):
                wanted = "height and width in" if name == "size" else ""
                raise PreprocessError(
                    f"preprocessing {name} {value!r}: give {wanted} pixels, 1 to {_MOST_PIXELS}"
                )
        if self.short_side is not None and self.size is not None:
            raise PreprocessError(
                f"preprocessing short_side {self.short_side} and size {self.size}: give one"
            )
        for name in ("mean", "std"):
            value = getattr(self, name)
            if value is not None and (len(value) not in (1, 3) or not np.isfinite(value).all()):
                raise PreprocessError(f"preprocessing {name} {value!r}: give 1 or 3 numbers")
        if self.std is not None and 0 in self.std:
            raise PreprocessError(f"preprocessing std {self.std!r}: must not hold 0")

    def as_dict(self) -> dict[str, Any]:
        """Plain form for the recording and for a file; steps that are not used are left out."""
        unused = {"resample", "centre", "order"} if self.scale == "none" else set()
        default = Preprocess.__dataclass_fields__
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value is not None and not (name in unused and value == default[name].default)
        }

    @staticmethod
    def from_dict(steps: Mapping[str, Any]) -> Preprocess:
        """Read the plain form.

        Raises
        ------
        PreprocessError
            When a step is unknown or its value makes no sense.
        """
        known = set(Preprocess.__dataclass_fields__)
        unknown = sorted(set(map(str, steps)) - known)
        if unknown:
            raise PreprocessError(
                f"preprocessing has no step {', '.join(unknown)}; known: {', '.join(sorted(known))}"
            )
        plain = dict(steps)
        for name in ("mean", "std"):
            if isinstance(plain.get(name), list | tuple):
                try:
                    plain[name] = tuple(float(each) for each in plain[name])
                except (TypeError, ValueError):
                    raise PreprocessError(
                        f"preprocessing {name} {steps[name]!r}: give 1 or 3 numbers"
                    ) from None
            elif plain.get(name) is not None:
                raise PreprocessError(f"preprocessing {name} {steps[name]!r}: give a list")
        for name in ("crop", "size"):
            if isinstance(plain.get(name), list):
                plain[name] = tuple(plain[name])
        if not all(isinstance(plain.get(name, ""), str) for name in _CHOICES):
            raise PreprocessError(f"preprocessing {', '.join(_CHOICES)} are names, as text")
        return Preprocess(**plain)


def _is_side(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST_PIXELS


IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def _efficientnet_lite(side: int) -> Preprocess:
    """As they were trained: 32 pixels of margin, bytes around 127 (TensorFlow TPU repository)."""
    return Preprocess(
        "raw",
        short_side=side + 32,
        crop=side,
        mean=(127.0,) * 3,
        std=(128.0,) * 3,
        resample="bicubic",
        centre="round",
    )


PRESETS: Mapping[str, Preprocess] = {
    "none": Preprocess("none"),
    "unit": Preprocess("unit"),
    "signed": Preprocess("signed"),
    "raw": Preprocess("raw"),
    "imagenet": Preprocess(
        "unit", short_side=256, crop=224, mean=IMAGENET_MEAN, std=IMAGENET_STD, centre="round"
    ),
    "clip": Preprocess(
        "unit",
        short_side=224,
        crop=224,
        mean=(0.48145466, 0.4578275, 0.40821073),
        std=(0.26862954, 0.26130258, 0.27577711),
        resample="bicubic",
        centre="round",
    ),
    "efficientnet-lite0": _efficientnet_lite(224),
    "efficientnet-lite1": _efficientnet_lite(240),
    "efficientnet-lite2": _efficientnet_lite(260),
    "efficientnet-lite3": _efficientnet_lite(280),
    "efficientnet-lite4": _efficientnet_lite(300),
}
"""Preprocessings by name; `unit`, `signed` and `raw` resize to the model's input."""
