"""Read preprocessing from files: our own, Hugging Face's and timm's, as they are."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inspector.stimuli.errors import PreprocessError
from inspector.stimuli.preprocess import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    PRESETS,
    Preprocess,
)

_MOST_BYTES = 4 << 20
_RESAMPLE_BY_CODE = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
_BYTE, _HALF_BYTE = 1 / 255, 1 / 127.5

# Hugging Face: an int as size is the shorter side in these, a square in all others.
_BY_SHORT_SIDE = (
    "bit", "chineseclip", "clip", "convnext", "levit", "mobilenet", "mobilevit", "poolformer",
)  # fmt: skip
# Steps that images for classifiers do not need; a file that asks for one is not guessed at.
_UNKNOWN_STEPS = ("do_pad", "do_thumbnail", "do_align_long_axis", "do_image_splitting", "apply_ocr")


def open_preprocess(name: str) -> Preprocess:
    """Look up a preset or read a file of steps.

    Parameters
    ----------
    name : str
        One of :data:`PRESETS`, or a JSON file: steps of :class:`Preprocess`, a
        `preprocessor_config.json` of Hugging Face, or a `config.json` of timm.

    Raises
    ------
    PreprocessError
        When `name` is neither, or the file cannot be understood.
    """
    if name in PRESETS:
        return PRESETS[name]
    path = Path(name)
    if not path.is_file():
        raise PreprocessError(
            f"--preprocess {name}: neither a preset ({', '.join(PRESETS)}) nor a file; choose a "
            'preset or write a JSON file such as {"scale": "unit", "short_side": 256, "crop": 224}'
        )
    steps = _read(path)
    try:
        found = read_config(steps)
        return Preprocess.from_dict(steps) if found is None else found
    except PreprocessError as error:
        raise PreprocessError(f"{path}: {error}") from None


def find_preprocess(model_path: str | Path) -> tuple[Preprocess, Path] | None:
    """Find the preprocessing that lies beside a model.

    Looked for, in this order: `MODEL.preprocess.json` and `preprocess.json` (steps of
    :class:`Preprocess`), `preprocessor_config.json` and `processor_config.json` (Hugging Face),
    `config.json` (timm); in the model's folder, then in the one above where the model's is called
    `onnx`, as exporters lay it out. A `config.json` that says nothing of images is passed over.

    Returns
    -------
    (Preprocess, Path) or None
        The steps and the file they are from.

    Raises
    ------
    PreprocessError
        When the first such file cannot be understood.
    """
    model = Path(model_path)
    folders = [model.parent]
    if model.resolve().parent.name == "onnx":
        folders.append(model.resolve().parent.parent)
    for folder in folders:
        for name in (f"{model.stem}.preprocess.json", "preprocess.json"):
            if (folder / name).is_file():
                return open_preprocess(str(folder / name)), folder / name
        for name in ("preprocessor_config.json", "processor_config.json", "config.json"):
            path = folder / name
            if not path.is_file():
                continue
            try:
                found = read_config(_read(path))
            except PreprocessError as error:
                raise PreprocessError(
                    f"{path}, beside the model: {error}; name another with --preprocess"
                ) from None
            if found is not None:
                return found, path
    return None


def read_config(config: Mapping[str, Any]) -> Preprocess | None:
    """Read the content of a Hugging Face or timm file; None when it is neither.

    Raises
    ------
    PreprocessError
        When it is one, but asks for steps that are not known here.
    """
    inner = config.get("image_processor")
    if isinstance(inner, dict):
        config = inner
    timm = config.get("pretrained_cfg", config)
    if isinstance(timm, dict) and "input_size" in timm and ("mean" in timm or "crop_pct" in timm):
        return _from_timm(timm)
    if any(key in config for key in ("do_resize", "do_normalize", "do_rescale", "image_mean")):
        return _from_hugging_face(config)
    return None


def _from_timm(config: Mapping[str, Any]) -> Preprocess:
    """As timm evaluates: shorter side to size / crop_pct, then the centre."""
    size = config["input_size"]
    if not (isinstance(size, list) and len(size) == 3 and size[1] == size[2]):
        raise PreprocessError(f"input_size {size!r}: only square inputs [C, side, side] are known")
    side = _whole("input_size", size[1])
    share = _number("crop_pct", config.get("crop_pct") or 0.875)
    if not 0 < share <= 1:
        raise PreprocessError(f"crop_pct {share!r}: give more than 0, up to 1")
    scaled = math.floor(side / share)
    mode = config.get("crop_mode") or "center"
    if mode not in ("center", "squash"):
        raise PreprocessError(f"crop_mode {mode!r}: only center and squash are known")
    how = config.get("interpolation") or "bilinear"
    return Preprocess.from_dict(
        {
            "scale": "unit",
            "short_side": scaled if mode == "center" else None,
            "size": None if mode == "center" else [scaled, scaled],
            "crop": side,
            "mean": config.get("mean") or IMAGENET_MEAN,
            "std": config.get("std") or IMAGENET_STD,
            "resample": "bilinear" if how == "random" else how,
            "centre": "round",
        }
    )


def _from_hugging_face(config: Mapping[str, Any]) -> Preprocess:
    kind = str(config.get("image_processor_type") or config.get("feature_extractor_type") or "")
    unknown = [step for step in _UNKNOWN_STEPS if config.get(step)]
    if unknown:
        raise PreprocessError(f"asks for {', '.join(unknown)}, which is not known here")
    code = config.get("resample", 2)
    if not (isinstance(code, int) and 0 <= code < len(_RESAMPLE_BY_CODE)):
        raise PreprocessError(f"resample {code!r}: only Pillow's 0 to 5 are known")
    steps: dict[str, Any] = {"resample": _RESAMPLE_BY_CODE[code]}
    if config.get("do_resize", True):
        steps |= _sizes(config, kind.casefold())
    if config.get("do_center_crop") and "crop" not in steps:
        steps["crop"] = _crop(config)
    return Preprocess.from_dict(steps | _values(config))


def _sizes(config: Mapping[str, Any], kind: str) -> dict[str, Any]:
    size = config.get("size", 224)
    by_short_side = kind.startswith(_BY_SHORT_SIDE)
    if isinstance(size, dict):
        if "height" in size and "width" in size:
            sides = [_whole("size", size["height"]), _whole("size", size["width"])]
            if "shortest_edge" not in size:
                return {"size": sides}
        if "shortest_edge" not in size or "longest_edge" in size:
            raise PreprocessError(
                f"size {size!r}: only height and width, or shortest_edge, are known"
            )
        side, by_short_side = _whole("size", size["shortest_edge"]), True
    elif isinstance(size, list) and len(size) == 2:
        # Old files say width and height.
        return {"size": [_whole("size", size[1]), _whole("size", size[0])]}
    else:
        side = _whole("size", size)
    if kind.startswith("convnext"):
        share = _number("crop_pct", config.get("crop_pct") or 224 / 256)
        if side >= 384:
            return {"size": [side, side]}
        return {"short_side": int(side / share), "crop": side}
    if kind.startswith("poolformer"):
        share = _number("crop_pct", config.get("crop_pct") or 1)
        return {"short_side": math.floor(side / share)}
    if kind.startswith("levit"):
        return {"short_side": int(256 / 224 * side)}
    return {"short_side": side} if by_short_side else {"size": [side, side]}


def _crop(config: Mapping[str, Any]) -> Any:
    crop = config.get("crop_size", config.get("size", 224))
    if isinstance(crop, dict):
        if "height" not in crop or "width" not in crop:
            raise PreprocessError(f"crop_size {crop!r}: only height and width are known")
        high, wide = _whole("crop_size", crop["height"]), _whole("crop_size", crop["width"])
        return high if high == wide else [high, wide]
    return _whole("crop_size", crop)


def _values(config: Mapping[str, Any]) -> dict[str, Any]:
    """Scaling and normalisation: bytes · factor + offset, less the mean, over the deviation."""
    # Files older than do_rescale scale as part of the normalisation.
    rescales = config.get("do_rescale", True)
    factor = _number("rescale_factor", config.get("rescale_factor", _BYTE)) if rescales else 1.0
    offset = -1.0 if rescales and config.get("rescale_offset") else 0.0
    mean, std = [0.0], [1.0]
    normalises = bool(config.get("do_normalize", "image_mean" in config))
    if normalises:
        mean = _numbers("image_mean", config.get("image_mean", list(IMAGENET_MEAN)))
        std = _numbers("image_std", config.get("image_std", list(IMAGENET_STD)))
        if config.get("include_top"):
            # EfficientNet's own repetition of the division.
            std = [each * each for each in std]
    values: dict[str, Any] = {}
    if config.get("do_flip_channel_order"):
        values["order"] = "bgr"
    if offset == 0 and math.isclose(factor, _BYTE, rel_tol=1e-3):
        values["scale"] = "unit"
    elif offset == -1 and math.isclose(factor, _HALF_BYTE, rel_tol=1e-3):
        values["scale"] = "signed"
    else:
        if factor == 0:
            raise PreprocessError("rescale_factor 0 makes every image the same")
        values["scale"] = "raw"
        mean = [(each - offset) / factor for each in mean]
        std = [each / factor for each in std]
        normalises = normalises or factor != 1 or offset != 0
    return values | ({"mean": mean, "std": std} if normalises else {})


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise PreprocessError(f"{path}: has more than {_MOST_BYTES:,} bytes")
        steps = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise PreprocessError(f"{path}: not a JSON file of preprocessing steps ({error})") from None
    if not isinstance(steps, dict):
        raise PreprocessError(f"{path}: holds {type(steps).__name__}, not a JSON object of steps")
    return steps


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:
        raise PreprocessError(f"{name} {value!r}: give whole pixels")
    return int(value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise PreprocessError(f"{name} {value!r}: give a number")
    return float(value)


def _numbers(name: str, value: Any) -> list[float]:
    if not isinstance(value, list) or len(value) not in (1, 3):
        raise PreprocessError(f"{name} {value!r}: give 1 or 3 numbers")
    return [_number(name, each) for each in value]
