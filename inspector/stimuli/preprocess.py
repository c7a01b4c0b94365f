"""Turn a stimulus into what the model expects: size, range, layout, dtype."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.stimuli.errors import PreprocessError
from inspector.stimuli.pictures import resize, to_picture

SCALES = {"unit": (0.0, 1.0), "signed": (-1.0, 1.0), "raw": (0.0, 255.0)}


@dataclass(frozen=True)
class Preprocess:
    """The steps between an image and a model's input, in the order of their application.

    Attributes
    ----------
    scale : str
        `none` hands arrays to the model unchanged (dtype and shape must fit); `unit` maps the
        pixels 0..255 to 0..1, `signed` to -1..1, `raw` leaves them as 0..255.
    short_side : int or None
        Length that the image's shorter side is resized to; None resizes to the model's input.
    crop : int or None
        Side of the square cut from the centre.
    mean, std : tuple of float or None
        Subtracted from, and divided into, each channel (red, green, blue) after scaling.
    """

    scale: str = "unit"
    short_side: int | None = None
    crop: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.scale not in ("none", *SCALES):
            raise PreprocessError(
                f"preprocessing scale {self.scale!r}: choose none, {', '.join(SCALES)}"
            )
        for name in ("short_side", "crop"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and 0 < value <= 65_535):
                raise PreprocessError(f"preprocessing {name} {value!r}: give pixels, 1 to 65535")
        for name in ("mean", "std"):
            value = getattr(self, name)
            if value is not None and (len(value) not in (1, 3) or not np.isfinite(value).all()):
                raise PreprocessError(f"preprocessing {name} {value!r}: give 1 or 3 numbers")
        if self.std is not None and 0 in self.std:
            raise PreprocessError(f"preprocessing std {self.std!r}: must not hold 0")

    def as_dict(self) -> dict[str, Any]:
        """Plain form for the recording and for a file; steps that are not used are left out."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
            if value is not None
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
        plain: dict[str, Any] = {
            name: tuple(float(x) for x in value) if isinstance(value, list | tuple) else value
            for name, value in steps.items()
        }
        return Preprocess(**plain)


PRESETS: Mapping[str, Preprocess] = {
    "none": Preprocess("none"),
    "unit": Preprocess("unit"),
    "signed": Preprocess("signed"),
    "raw": Preprocess("raw"),
    "imagenet": Preprocess(
        "unit", short_side=256, crop=224, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
    ),
}


def open_preprocess(name: str) -> Preprocess:
    """Look up a preset or read a JSON file of steps.

    Raises
    ------
    PreprocessError
        When `name` is neither.
    """
    if name in PRESETS:
        return PRESETS[name]
    path = Path(name)
    if not path.is_file():
        raise PreprocessError(
            f"--preprocess {name}: neither a preset ({', '.join(PRESETS)}) nor a file; choose a "
            'preset or write a JSON file such as {"scale": "unit", "short_side": 256, "crop": 224}'
        )
    try:
        steps = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise PreprocessError(f"{path}: not a JSON file of preprocessing steps ({error})") from None
    if not isinstance(steps, dict):
        raise PreprocessError(f"{path}: holds {type(steps).__name__}, not a JSON object of steps")
    return Preprocess.from_dict(steps)


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

    Raises
    ------
    PreprocessError
        At once when the model's input cannot be made from images at all.
    """

    def __init__(self, steps: Preprocess, model_input: ModelInput) -> None:
        if steps.scale != "none" and model_input.channels_first is None:
            raise PreprocessError(
                f"the model's input {_shown(model_input.shape)} is no image [C, H, W] or "
                "[H, W, C]; give arrays of that shape and --preprocess none"
            )
        if steps.scale != "none" and model_input.channels not in (1, 3, None):
            raise PreprocessError(
                f"the model's input {_shown(model_input.shape)} has {model_input.channels} "
                "channels, but images have 1 or 3; give arrays and --preprocess none"
            )
        self._steps = steps
        self._input = model_input

    def __call__(self, stimulus: NDArray[Any]) -> NDArray[Any]:
        """Make one model input (without the batch axis) from one stimulus.

        Raises
        ------
        PreprocessError
            When the stimulus does not fit the model.
        """
        if self._steps.scale == "none":
            return self._unchanged(stimulus)
        scaled = self._scaled(self._resized(to_picture(stimulus)))
        if self._input.channels == 1 and scaled.shape[2] == 3:
            # ITU-R 601 luma, what cv2 and PIL use for greyscale.
            scaled = np.asarray(scaled @ np.array([[0.299], [0.587], [0.114]], np.float32))
        elif self._input.channels == 3 and scaled.shape[2] == 1:
            scaled = np.repeat(scaled, 3, axis=2)
        if self._steps.mean is not None:
            scaled = scaled - np.asarray(self._steps.mean, np.float32)
        if self._steps.std is not None:
            scaled = scaled / np.asarray(self._steps.std, np.float32)
        if self._input.channels_first:
            scaled = scaled.transpose(2, 0, 1)
        if self._input.dtype.kind in "ui":
            limits = np.iinfo(self._input.dtype)
            scaled = np.clip(np.rint(scaled), limits.min, limits.max)
        made = np.ascontiguousarray(scaled, self._input.dtype)
        if not self._input.accepts(made):
            raise PreprocessError(
                f"the preprocessing makes images of {list(made.shape)}, but the model takes "
                f"{_shown(self._input.shape)}; change --preprocess (crop or short_side)"
            )
        return made

    def _unchanged(self, stimulus: NDArray[Any]) -> NDArray[Any]:
        if not self._input.accepts(stimulus):
            raise PreprocessError(
                f"the data is {stimulus.dtype} {list(stimulus.shape)}, but the model takes "
                f"{self._input.dtype} {_shown(self._input.shape)}; save the array in that type "
                "and shape, or let it be prepared with --preprocess unit"
            )
        return stimulus

    def _resized(self, picture: NDArray[Any]) -> NDArray[Any]:
        height, width = picture.shape[:2]
        if self._steps.short_side is not None:
            factor = self._steps.short_side / min(height, width)
            size = (max(1, round(height * factor)), max(1, round(width * factor)))
            picture = resize(picture, *size)
        if self._steps.crop is not None:
            picture = _centre(picture, self._steps.crop)
        if self._steps.short_side is None and self._steps.crop is None:
            want_height, want_width = self._input.size
            picture = resize(
                picture, want_height or picture.shape[0], want_width or picture.shape[1]
            )
        return picture

    def _scaled(self, picture: NDArray[Any]) -> NDArray[Any]:
        low, high = SCALES[self._steps.scale]
        if picture.dtype == np.uint8:
            # One division in float32, as ToTensor and every framework's own recipe do it.
            unit = picture.astype(np.float32)
            if self._steps.scale == "raw":
                return unit
            unit = unit / np.float32(255)
        else:
            unit = picture.astype(np.float32)
        if (low, high) == (0.0, 1.0):
            return unit
        scaled: NDArray[Any] = unit * np.float32(high - low) + np.float32(low)
        return scaled


def _centre(picture: NDArray[Any], side: int) -> NDArray[Any]:
    height, width = picture.shape[:2]
    if height < side or width < side:
        raise PreprocessError(
            f"an image of {width}×{height} pixels is smaller than the crop of {side}; "
            "set short_side to at least the crop"
        )
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def choose_preprocess(
    named: str | None,
    metadata: Mapping[str, str],
    model_input: ModelInput,
    first: NDArray[Any],
    is_array: bool,
) -> tuple[Preprocess, str]:
    """Decide how stimuli are prepared, and say why.

    What the user named wins; then what the model's metadata holds (key `inspector.preprocess`);
    then an array that fits the model is handed over unchanged; everything else becomes 0..1.

    Parameters
    ----------
    named : str or None
        A preset or file, as given with `--preprocess`.
    metadata : mapping of str
        The model's own metadata.
    model_input : ModelInput
        What the model takes.
    first : array
        The first stimulus.
    is_array : bool
        Whether stimuli are arrays that may be handed over unchanged.

    Returns
    -------
    Preprocess, str
        The steps, and the reason in a few words.
    """
    if named is not None:
        return open_preprocess(named), "as asked"
    kept = metadata.get("inspector.preprocess")
    if kept is not None:
        try:
            steps = json.loads(kept)
        except ValueError:
            steps = None
        if not isinstance(steps, dict):
            raise PreprocessError(
                f"the model's metadata inspector.preprocess is no JSON object ({kept[:60]!r}); "
                "name the preprocessing with --preprocess"
            )
        return Preprocess.from_dict(steps), "from the model's metadata"
    if is_array and model_input.accepts(first):
        return PRESETS["none"], "the arrays fit the model as they are"
    return PRESETS["unit"], "pixels as 0..1, as nothing else was named"


def _shown(shape: tuple[int | None, ...]) -> str:
    return "[" + ", ".join("?" if side is None else str(side) for side in shape) + "]"
