"""Turn a stimulus into what a model expects: size, range, layout, dtype."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.errors import PreprocessError
from inspector.stimuli.pictures import to_picture
from inspector.stimuli.preprocess import SCALES, Preprocess
from inspector.stimuli.resample import resample, scaled_sides

_LUMA = np.array([19595, 38470, 7471], np.uint32)
"""ITU-R 601 weights of red, green and blue in units of 1 / 65536, as Pillow has them."""


@dataclass(frozen=True)
class ModelInput:
    """What one stimulus must look like: dtype, and dimensions without the batch (None = any)."""

    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]

    @property
    def channels_first(self) -> bool | None:
        """True for [C, H, W], False for [H, W, C], None when the input is not an image."""
        if len(self.shape) != 3:
            return None
        if self.shape[0] in (1, 3):
            return True
        return self.shape[2] not in (1, 3)

    @property
    def channels(self) -> int | None:
        """Number of colour channels, None when the model leaves it open."""
        if len(self.shape) != 3:
            return None
        return self.shape[0] if self.channels_first else self.shape[2]

    @property
    def size(self) -> tuple[int | None, int | None]:
        """Height and width, None where the model leaves them open."""
        if self.channels_first is None:
            return (None, None)
        return (
            (self.shape[1], self.shape[2])
            if self.channels_first
            else (self.shape[0], self.shape[1])
        )

    def accepts(self, stimulus: NDArray[Any]) -> bool:
        """Whether an array can be handed to the model as it is."""
        return (
            stimulus.dtype == self.dtype
            and stimulus.ndim == len(self.shape)
            and all(
                want in (None, have) for want, have in zip(self.shape, stimulus.shape, strict=True)
            )
        )


class Preprocessor:
    """Applies a :class:`Preprocess` for one model input.

    Bytes are looked up in a table with the result for each of the 256 levels, so that the values
    are those of the formula to the last bit, at the cost of a copy.

    Raises
    ------
    PreprocessError
        At once when the model's input cannot be made from images at all.
    """

    def __init__(self, steps: Preprocess, model_input: ModelInput) -> None:
        self._steps = steps
        self._input = model_input
        if steps.scale == "none":
            return
        if model_input.channels_first is None:
            raise PreprocessError(
                f"the model's input {shown(model_input.shape)} is no image [C, H, W] or "
                "[H, W, C]; give arrays of that shape and --preprocess none"
            )
        if model_input.channels not in (1, 3, None):
            raise PreprocessError(
                f"the model's input {shown(model_input.shape)} has {model_input.channels} "
                "channels, but images have 1 or 3; give arrays and --preprocess none"
            )
        if model_input.dtype.kind in "ui" and (steps.scale != "raw" or steps.mean or steps.std):
            raise PreprocessError(
                f"the model takes {model_input.dtype}, so that fractions would be lost; use "
                "--preprocess raw, which hands over the pixels 0..255 as they are"
            )
        for name, values in (("mean", steps.mean), ("std", steps.std)):
            if values is not None and len(values) == 3 and model_input.channels == 1:
                raise PreprocessError(
                    f"preprocessing {name} {values} is for three channels, but the model takes "
                    "one; give one number"
                )
        levels = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
        table = self._valued(levels if model_input.channels != 1 else levels[:, :, :1])
        self._table = np.ascontiguousarray(table[:, 0, :].T)

    def __call__(self, stimulus: NDArray[Any]) -> NDArray[Any]:
        """Make one model input (without the batch axis) from one stimulus.

        Raises
        ------
        PreprocessError
            When the stimulus does not fit the model.
        """
        if self._steps.scale == "none":
            return self._unchanged(stimulus)
        picture = self._resized(self._with_channels(to_picture(stimulus)))
        if picture.dtype == np.uint8:
            channels = self._input.channels or picture.shape[2]
            source = [picture[:, :, min(c, picture.shape[2] - 1)] for c in range(channels)]
            planes = np.stack([self._table[c][source[c]] for c in range(channels)])
            ordered = planes[::-1] if self._steps.order == "bgr" else planes
            made = ordered if self._input.channels_first else ordered.transpose(1, 2, 0)
        else:
            if self._input.channels == 3 and picture.shape[2] == 1:
                picture = np.repeat(picture, 3, axis=2)
            values = self._valued(picture)
            ordered = values[:, :, ::-1] if self._steps.order == "bgr" else values
            made = ordered.transpose(2, 0, 1) if self._input.channels_first else ordered
        made = np.ascontiguousarray(made)
        if not self._input.accepts(made):
            raise PreprocessError(
                f"the preprocessing makes images of {list(made.shape)}, but the model takes "
                f"{shown(self._input.shape)}; change --preprocess (crop, size or short_side)"
            )
        return made

    def _unchanged(self, stimulus: NDArray[Any]) -> NDArray[Any]:
        if not self._input.accepts(stimulus):
            raise PreprocessError(
                f"the data is {stimulus.dtype} {list(stimulus.shape)}, but the model takes "
                f"{self._input.dtype} {shown(self._input.shape)}; save the array in that type "
                "and shape, or let it be prepared with --preprocess unit"
            )
        return stimulus

    def _with_channels(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Make grey of colour where the model takes grey: before resizing, as Pillow users do."""
        if self._input.channels != 1 or picture.shape[2] == 1:
            return picture
        if picture.dtype == np.uint8:
            grey = (picture.astype(np.uint32) @ _LUMA + 0x8000) >> 16
            return grey.astype(np.uint8)[:, :, None]
        weights = (_LUMA / 65536).astype(np.float32)
        weighted: NDArray[Any] = np.matmul(picture.astype(np.float32), weights)
        return weighted[:, :, None]

    def _resized(self, picture: NDArray[Any]) -> NDArray[Any]:
        steps = self._steps
        height, width = picture.shape[:2]
        if steps.short_side is not None:
            sides = scaled_sides(height, width, steps.short_side)
        elif steps.size is not None:
            sides = steps.size
        elif steps.crop is None:
            want_height, want_width = self._input.size
            sides = (want_height or height, want_width or width)
        else:
            sides = (height, width)
        picture = resample(picture, *sides, steps.resample)
        if steps.crop is not None:
            crop = steps.crop if isinstance(steps.crop, tuple) else (steps.crop, steps.crop)
            picture = _centre(picture, *crop, steps.centre)
        return picture

    def _valued(self, picture: NDArray[Any]) -> NDArray[Any]:
        """Scale and normalise [H, W, C] in float32, in the model's dtype."""
        steps = self._steps
        low, high = SCALES[steps.scale]
        values: NDArray[Any] = picture.astype(np.float32)
        if picture.dtype == np.uint8 and steps.scale != "raw":
            # One division in float32, as ToTensor and every framework's own recipe do it.
            values = values / np.float32(255)
        if (low, high) != (0.0, 1.0) and not (picture.dtype == np.uint8 and steps.scale == "raw"):
            values = values * np.float32(high - low) + np.float32(low)
        if steps.mean is not None:
            values = values - np.asarray(steps.mean, np.float32)
        if steps.std is not None:
            values = values / np.asarray(steps.std, np.float32)
        if self._input.dtype.kind in "ui":
            limits = np.iinfo(self._input.dtype)
            values = np.clip(np.rint(values), limits.min, limits.max)
        return values.astype(self._input.dtype)


def _centre(picture: NDArray[Any], high: int, wide: int, how: str) -> NDArray[Any]:
    height, width = picture.shape[:2]
    if height < high or width < wide:
        size = f"{wide}×{high}" if high != wide else f"{high}"
        raise PreprocessError(
            f"an image of {width}×{height} pixels is smaller than the crop of {size}; "
            "set short_side to at least the crop"
        )
    if how == "round":
        top, left = round((height - high) / 2), round((width - wide) / 2)
    else:
        top, left = (height - high) // 2, (width - wide) // 2
    return picture[top : top + high, left : left + wide]


def shown(shape: tuple[int | None, ...]) -> str:
    """Write a shape, `?` for what is left open."""
    return "[" + ", ".join("?" if side is None else str(side) for side in shape) + "]"
