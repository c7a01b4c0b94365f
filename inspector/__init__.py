"""Inspector: electrophysiology for neural networks.

Record what the units of any ONNX model do on in-distribution and out-of-distribution images,
and see, rank, test and explain the difference.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inspector.errors import InspectorError

if TYPE_CHECKING:
    from inspector.api import load_model, merge, open, record, recover, scores, tag, verify

__version__ = "0.1.0"
__all__ = [
    "InspectorError",
    "__version__",
    "load_model",
    "merge",
    "open",
    "record",
    "recover",
    "scores",
    "tag",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load the public functions on first use: `import inspector` costs nothing."""
    if name in __all__:
        return getattr(import_module("inspector.api"), name)
    raise AttributeError(f"module 'inspector' has no attribute {name!r}")
