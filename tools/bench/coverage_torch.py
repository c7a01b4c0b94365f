"""Architectures of `transformers` with random weights, exported both ways, and what hooks saw."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

# Small enough to run in seconds; the first three have their real size and depth.
SMALL = 64
_DEPTHS = {"depths": [1, 1, 2, 1], "hidden_sizes": [16, 32, 48, 64]}
_TINY_VIT = {
    "image_size": SMALL,
    "patch_size": 16,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any], int]] = {
    "resnet18": (
        "ResNet",
        {"depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512], "layer_type": "basic"},
        224,
    ),
    "vit_tiny": (
        "ViT",
        {"hidden_size": 192, "num_attention_heads": 3, "intermediate_size": 768},
        224,
    ),
    "cvt13": ("Cvt", {}, 224),
    "convnext": ("ConvNext", {**_DEPTHS, "image_size": SMALL}, SMALL),
    "swin": (
        "Swin",
        {
            "image_size": SMALL,
            "embed_dim": 24,
            "depths": [2, 2],
            "num_heads": [2, 4],
            "window_size": 4,
        },
        SMALL,
    ),
    "mobilenetv2": ("MobileNetV2", {"image_size": SMALL, "depth_multiplier": 0.5}, SMALL),
    "efficientnet": (
        "EfficientNet",
        {
            "image_size": SMALL,
            "width_coefficient": 0.5,
            "depth_coefficient": 0.5,
            "hidden_dim": 640,
        },
        SMALL,
    ),
    "regnet": ("RegNet", {**_DEPTHS, "embedding_size": 16, "groups_width": 8}, SMALL),
    "beit": ("Beit", _TINY_VIT, SMALL),
    "deit": ("DeiT", _TINY_VIT, SMALL),
    "poolformer": ("PoolFormer", {"depths": [1] * 4, "hidden_sizes": [16, 24, 32, 48]}, SMALL),
    "segformer": ("Segformer", {"depths": [1] * 4, "hidden_sizes": [16, 32, 48, 64]}, SMALL),
    "mobilevit": (
        "MobileViT",
        {
            "image_size": SMALL,
            "hidden_sizes": [24, 32, 40],
            "neck_hidden_sizes": [8, 8, 16, 24, 32, 40, 64],
        },
        SMALL,
    ),
    "levit": ("Levit", {}, 224),
}


class LogitsOnly(torch.nn.Module):
    """The model with a plain tensor as its output, as exporters want it."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The logits alone."""
        logits: torch.Tensor = self.model(x).logits
        return logits


def exported(
    folder: Path, word: str, absent: list[str]
) -> Iterator[tuple[str, str, Path, dict[str, Any], dict[str, list[Any]]]]:
    """Yield (name, source, path, feed, hooks); what an exporter cannot do goes to `absent`."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    for name, (kind, options, size) in ARCHITECTURES.items():
        if word not in name:
            continue
        torch.manual_seed(0)
        config = getattr(hf, f"{kind}Config")(num_labels=10, **options)
        model = LogitsOnly(getattr(hf, f"{kind}ForImageClassification")(config)).eval()
        _scatter(model)
        x = torch.randn(2, 3, size, size)
        hooks = watch(model, x)
        for source, export in (("torch dynamo", _dynamo), ("torch script", _script)):
            path = folder / f"{name}_{source[6:]}.onnx"
            # Exporters print their progress, and whole graphs when they fail.
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                reason = _try(export, model, x, path)
            if reason:
                absent.append(f"{name} by {source}: {reason}")
                continue
            yield name, source, path, {"x": x.numpy()}, hooks
            path.unlink()


def _scatter(model: torch.nn.Module) -> None:
    """Move weights and statistics from their starting values, or much would be zero or one."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.add_(0.1 * torch.randn_like(buffer))
            if name.endswith("running_var"):
                buffer.mul_(1 + 0.3 * torch.rand_like(buffer))


def watch(model: torch.nn.Module, x: torch.Tensor) -> dict[str, list[Any]]:
    """Run the model and keep what each of its modules gives, call by call."""
    seen: dict[str, list[Any]] = {}
    handles = []
    for name, module in model.named_modules():

        def hook(_m: Any, _i: Any, output: Any, name: str = name) -> None:
            tensor = _first_tensor(output)
            if tensor is not None and tensor.is_floating_point():
                # Cloned: `x += y` in the model would change what was seen.
                seen.setdefault(name, []).append(np.array(tensor.detach()))

        if name:
            handles.append(module.register_forward_hook(hook))
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return seen


def _first_tensor(output: Any) -> torch.Tensor | None:
    if torch.is_tensor(output):
        return output
    if hasattr(output, "to_tuple"):
        output = output.to_tuple()
    if isinstance(output, (tuple, list)):
        return next((t for t in map(_first_tensor, output) if t is not None), None)
    return None


def _try(export: Callable[..., None], model: torch.nn.Module, x: torch.Tensor, path: Path) -> str:
    try:
        export(model, x, path)
    except Exception as error:
        # Whatever an exporter raises is the finding.
        text = _COLOURS.sub("", str(error)).strip()
        return text.splitlines()[0][:100] if text else repr(error)
    return ""


def _dynamo(model: torch.nn.Module, x: torch.Tensor, path: Path) -> None:
    torch.onnx.export(
        model,
        (x,),
        str(path),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        input_names=["x"],
        external_data=False,
        verbose=False,
    )


def _script(model: torch.nn.Module, x: torch.Tensor, path: Path) -> None:
    torch.onnx.export(
        model, (x,), str(path), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "batch"}}
    )
