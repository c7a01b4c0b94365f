"""Small ONNX models built in code, named the way that different exporters name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

DYNAMO, TORCHSCRIPT, PLAIN, TENSORFLOW = "dynamo", "torchscript", "plain", "tensorflow"
_METADATA = "pkg.torch.onnx.name_scopes"


class Builder:
    """Adds nodes one by one; `style` says whose naming they get."""

    def __init__(self, style: str = DYNAMO, opset: int = 20, ir: int = 10, seed: int = 0) -> None:
        self.style, self.opset, self.ir = style, opset, ir
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.scope: list[str] = []
        self.calls: Counter[str] = Counter()
        self.suffixes: list[str] = []
        self.count = 0
        self.domains: dict[str, int] = {}

    # -- parts -----------------------------------------------------------------------------
    def input(self, name: str, *shape: int | str | None, dtype: int = TensorProto.FLOAT) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, dtype, list(shape)))
        return name

    @contextmanager
    def module(self, name: str) -> Iterator[None]:
        path = f"{self.scope[-1]}.{name}" if self.scope else name
        call = self.calls[path]
        self.calls[path] += 1
        self.scope.append(path)
        self.suffixes.append(f"_{call}" if call else "")
        try:
            yield
        finally:
            self.scope.pop()
            self.suffixes.pop()

    def constant(self, value: Any, dtype: Any = np.float32, name: str = "") -> str:
        name = name or self._number("const")
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def weight(self, *shape: int, name: str = "weight") -> str:
        path = ".".join([*self.scope[-1:], name])
        if any(tensor.name == path for tensor in self.weights):
            path = f"{path}_{len(self.weights)}"
        fan = max(int(np.prod(shape[1:])), 1)
        values = self.random.standard_normal(shape) / np.sqrt(fan)
        return self.constant(values, name=path)

    def add(self, op: str, *inputs: str, out: str = "", outputs: int = 1, **attributes: Any) -> Any:
        """Add a node and return the name of its output (or the names of several)."""
        domain = attributes.pop("domain", "")
        node_name, names = self._names(op, outputs)
        names = [out] if out else names
        node = helper.make_node(op, list(inputs), names, name=node_name, domain=domain)
        for key, value in attributes.items():
            node.attribute.append(helper.make_attribute(key, value))
        if domain:
            self.domains[domain] = 1
        if self.style == DYNAMO:
            scopes = ["", *self.scope, names[0]]
            node.metadata_props.add(key=_METADATA, value=repr(scopes))
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def _number(self, word: str) -> str:
        self.count += 1
        return f"{word}_{self.count}"

    def _names(self, op: str, outputs: int) -> tuple[str, list[str]]:
        if self.style == TORCHSCRIPT:
            parts: list[str] = []
            before = ""
            for path, call in zip(self.scope, self.suffixes, strict=True):
                own = path[len(before) + 1 :] if before else path
                # A child of a called container repeats the container's name, and the second
                # call of a module gets a number.
                own = f"{before.rpartition('.')[2]}.{own}" if own.isdigit() else own
                parts.append(own + call)
                before = path
            name = "/" + "/".join([*parts, op])
            same = sum(node.name == name or node.name.startswith(name + "_") for node in self.nodes)
            name = f"{name}_{same}" if same else name
            return name, [f"{name}_output_{k}" for k in range(outputs)]
        if self.style == TENSORFLOW:
            name = "/".join(["StatefulPartitionedCall/net", *self.scope[-1:], op])
            same = sum(node.name.startswith(name) for node in self.nodes)
            name = f"{name}_{same}" if same else name
            return name, [f"{name}:{k}" for k in range(outputs)]
        if self.style == PLAIN:
            return "", [str(1000 + self.count + k) for k in range(outputs) if not self._skip()]
        return self._number("node"), [self._number(op.lower()) for _ in range(outputs)]

    def _skip(self) -> bool:
        self.count += 1
        return False

    # -- modules ---------------------------------------------------------------------------
    def conv(self, x: str, cin: int, cout: int, kernel: int = 3, **attributes: Any) -> str:
        groups = attributes.get("group", 1)
        attributes.setdefault("pads", [kernel // 2] * 4)
        weight = self.weight(cout, cin // groups, kernel, kernel)
        bias = self.weight(cout, name="bias")
        return self.add("Conv", x, weight, bias, kernel_shape=[kernel] * 2, **attributes)

    def linear(self, x: str, cin: int, cout: int) -> str:
        return self.add("Gemm", x, self.weight(cin, cout), self.weight(cout, name="bias"))

    def tokens_linear(self, x: str, cin: int, cout: int) -> str:
        """A Linear over [N, T, D], as exporters write it: MatMul and Add."""
        product = self.add("MatMul", x, self.weight(cin, cout))
        return self.add("Add", product, self.weight(cout, name="bias"))

    def batch_norm(self, x: str, channels: int) -> str:
        parts = [self.weight(channels, name=n) for n in ("weight", "bias", "running_mean")]
        var = self.constant(self.random.uniform(0.5, 1.5, channels))
        return self.add("BatchNormalization", x, *parts, var)

    def layer_norm(self, x: str, size: int) -> str:
        return self.add(
            "LayerNormalization", x, self.weight(size), self.weight(size, name="bias"), axis=-1
        )

    # -- the whole -------------------------------------------------------------------------
    def model(
        self, *outputs: str, dtype: int = TensorProto.FLOAT, rank: int = 2
    ) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "net",
            self.inputs,
            [helper.make_tensor_value_info(name, dtype, [None] * rank) for name in outputs],
            self.weights,
        )
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(d, v) for d, v in self.domains.items()]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = self.ir
        return model

    def save(
        self, path: Path, *outputs: str, dtype: int = TensorProto.FLOAT, rank: int = 2
    ) -> Path:
        onnx.save(self.model(*outputs, dtype=dtype, rank=rank), path)
        return path


def image(*shape: int, seed: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
