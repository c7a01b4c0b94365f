"""Well-known architectures with their real depth and a few units a layer.

Written as their authors wrote them, module by module; BatchNorm is folded into the convolution
before it, as exporters do, unless something else precedes it.
"""

from __future__ import annotations

from tiny_models import Builder


def paper_net(b: Builder) -> tuple[str, str]:
    """Conv-pool-ReLU twice, a rectified linear layer, ten categories; log-softmax behind."""
    x = b.input("images", "batch", 3, 28, 28)
    for name, cin, cout in (("conv1", 3, 10), ("conv2", 10, 20)):
        with b.module(name):
            with b.module("conv"):
                x = b.conv(x, cin, cout, 5, pads=[0] * 4)
            x = b.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
            x = b.add("Relu", x)
    x = b.add("Flatten", x)
    with b.module("linear1"):
        with b.module("0"):
            x = b.linear(x, 320, 50)
        with b.module("1"):
            x = b.add("Relu", x)
    with b.module("linear2"):
        logits = b.linear(x, 50, 10)
    return logits, b.add("LogSoftmax", logits, out="log_probabilities", axis=1)


def resnet18(b: Builder) -> str:
    """torchvision's: one ReLU module a block, called twice."""
    x = b.input("x", "batch", 3, 64, 64)
    with b.module("conv1"):
        x = b.conv(x, 3, 4, 7, strides=[2, 2])
    with b.module("relu"):
        x = b.add("Relu", x)
    with b.module("maxpool"):
        x = b.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    width = 4
    for stage, cout in enumerate((4, 5, 6, 7), 1):
        with b.module(f"layer{stage}"):
            for block in range(2):
                with b.module(str(block)):
                    stride = [2, 2] if stage > 1 and block == 0 else [1, 1]
                    skip = x
                    with b.module("conv1"):
                        x = b.conv(x, width, cout, strides=stride)
                    with b.module("relu"):
                        x = b.add("Relu", x)
                    with b.module("conv2"):
                        x = b.conv(x, cout, cout)
                    if skip and width != cout:
                        with b.module("downsample"), b.module("0"):
                            skip = b.conv(skip, width, cout, 1, strides=stride, pads=[0] * 4)
                    x = b.add("Add", x, skip)
                    with b.module("relu"):
                        x = b.add("Relu", x)
                    width = cout
    with b.module("avgpool"):
        x = b.add("GlobalAveragePool", x)
    x = b.add("Flatten", x, axis=1)
    with b.module("fc"):
        return b.linear(x, width, 9)


def attention(b: Builder, x: str, width: int, heads: int, length: int) -> str:
    """Self-attention from primitive operators."""
    parts = []
    for name in ("query", "key", "value"):
        with b.module(name):
            y = b.tokens_linear(x, width, width)
        y = b.add("Reshape", y, b.constant([0, length, heads, width // heads], "int64"))
        parts.append(b.add("Transpose", y, perm=[0, 2, 1, 3]))
    query, key, value = parts
    scores = b.add("MatMul", query, b.add("Transpose", key, perm=[0, 1, 3, 2]))
    scores = b.add("Mul", scores, b.constant((width // heads) ** -0.5))
    mixed = b.add("MatMul", b.add("Softmax", scores, axis=-1), value)
    mixed = b.add("Transpose", mixed, perm=[0, 2, 1, 3])
    mixed = b.add("Reshape", mixed, b.constant([0, length, width], "int64"))
    with b.module("out"):
        return b.tokens_linear(mixed, width, width)


def gelu(b: Builder, x: str) -> str:
    """One operator from opset 20 on, its parts before."""
    if b.opset >= 20:
        return b.add("Gelu", x)
    erf = b.add("Erf", b.add("Div", x, b.constant(2**0.5)))
    return b.add("Mul", b.add("Mul", x, b.add("Add", erf, b.constant(1.0))), b.constant(0.5))


def layer_norm(b: Builder, x: str, size: int) -> str:
    """One operator from opset 17 on, its parts before."""
    if b.opset >= 17:
        return b.layer_norm(x, size)
    centred = b.add("Sub", x, b.add("ReduceMean", x, axes=[-1]))
    square = b.add("Pow", centred, b.constant(2.0))
    variance = b.add("Add", b.add("ReduceMean", square, axes=[-1]), b.constant(1e-5))
    scaled = b.add("Div", centred, b.add("Sqrt", variance))
    scaled = b.add("Mul", scaled, b.weight(size))
    return b.add("Add", scaled, b.weight(size, name="bias"))


def class_token(b: Builder, x: str, width: int) -> str:
    """Put one learned token before the others, expanded to the batch."""
    if b.opset >= 15:
        batch = b.add("Shape", x, start=0, end=1)
    elif b.opset >= 10:
        batch = b.add(
            "Slice", b.add("Shape", x), b.constant([0], "int64"), b.constant([1], "int64")
        )
    else:
        batch = b.add("Slice", b.add("Shape", x), starts=[0], ends=[1])
    shape = b.add("Concat", batch, b.constant([1, width], "int64"), axis=0)
    return b.add("Concat", b.add("Expand", b.weight(1, 1, width, name="cls"), shape), x, axis=1)


def vit(b: Builder, depth: int = 12, width: int = 8, heads: int = 2) -> str:
    """A vision transformer with a class token, classified by it."""
    x = b.input("x", "batch", 3, 16, 16)
    with b.module("embeddings"):
        with b.module("projection"):
            x = b.conv(x, 3, width, 4, strides=[4, 4], pads=[0] * 4)
        x = b.add("Reshape", x, b.constant([0, width, 16], "int64"))
        x = class_token(b, b.add("Transpose", x, perm=[0, 2, 1]), width)
        x = b.add("Add", x, b.weight(1, 17, width, name="position"))
    for number in range(depth):
        with b.module(f"layers.{number}"):
            with b.module("norm1"):
                y = layer_norm(b, x, width)
            with b.module("attention"):
                y = attention(b, y, width, heads, 17)
            x = b.add("Add", x, y)
            with b.module("norm2"):
                y = layer_norm(b, x, width)
            with b.module("mlp"):
                with b.module("fc1"):
                    y = b.tokens_linear(y, width, 2 * width)
                with b.module("act"):
                    y = gelu(b, y)
                with b.module("fc2"):
                    y = b.tokens_linear(y, 2 * width, width)
            x = b.add("Add", x, y)
    with b.module("norm"):
        x = layer_norm(b, x, width)
    x = b.add("Gather", x, b.constant(0, "int64"), axis=1)
    with b.module("head"):
        return b.linear(x, width, 6)


def cvt13(b: Builder) -> str:
    """Convolutional embeddings and projections; a class token in the last stage only."""
    x = b.input("x", "batch", 3, 32, 32)
    cin, side = 3, 32
    for stage, (depth, width) in enumerate(((1, 4), (2, 6), (10, 8))):
        with b.module(f"stages.{stage}"):
            with b.module("embedding"):
                with b.module("projection"):
                    x = b.conv(x, cin, width, 3, strides=[2, 2])
                side //= 2
                x = b.add("Reshape", x, b.constant([0, width, side * side], "int64"))
                x = b.add("Transpose", x, perm=[0, 2, 1])
                with b.module("normalization"):
                    x = b.layer_norm(x, width)
            last = stage == 2
            if last:
                x = class_token(b, x, width)
            for number in range(depth):
                with b.module(f"layers.{number}"):
                    x = _cvt_layer(b, x, width, side, token=last)
            if last:
                sizes = b.constant([1, side * side], "int64")
                x, _ = b.add("Split", x, sizes, axis=1, outputs=2)
            else:
                x = b.add("Transpose", x, perm=[0, 2, 1])
                x = b.add("Reshape", x, b.constant([0, width, side, side], "int64"))
        cin = width
    with b.module("layernorm"):
        x = b.layer_norm(x, cin)
    x = b.add("ReduceMean", x, b.constant([1], "int64"), keepdims=0)
    with b.module("classifier"):
        return b.linear(x, cin, 6)


def _cvt_layer(b: Builder, x: str, width: int, side: int, *, token: bool) -> str:
    skip, length = x, side * side + token
    with b.module("layernorm_before"):
        x = b.layer_norm(x, width)
    with b.module("attention"):
        head = ""
        if token:
            head, x = b.add("Split", x, b.constant([1, side * side], "int64"), axis=1, outputs=2)
        x = b.add("Transpose", x, perm=[0, 2, 1])
        x = b.add("Reshape", x, b.constant([0, width, side, side], "int64"))
        with b.module("convolution_projection"), b.module("normalization"):
            x = b.conv(x, width, width, 3, group=width)
        x = b.add("Reshape", x, b.constant([0, width, side * side], "int64"))
        x = b.add("Transpose", x, perm=[0, 2, 1])
        if token:
            x = b.add("Concat", head, x, axis=1)
        x = attention(b, x, width, 1, length)
    x = skip = b.add("Add", x, skip)
    with b.module("layernorm_after"):
        x = b.layer_norm(x, width)
    with b.module("intermediate"):
        with b.module("dense"):
            x = b.tokens_linear(x, width, 2 * width)
        with b.module("activation"):
            x = gelu(b, x)
    with b.module("output"):
        with b.module("dense"):
            x = b.tokens_linear(x, 2 * width, width)
        return b.add("Add", x, skip)


def efficientnet_lite0(b: Builder) -> str:
    """Inverted bottlenecks with ReLU6 (one module a block, called twice) and no gates."""

    def relu6(x: str) -> str:
        with b.module("_relu"):
            return b.add("Clip", x, b.constant(0.0), b.constant(6.0))

    x = b.input("x", "batch", 3, 32, 32)
    with b.module("_conv_stem"):
        x = b.conv(x, 3, 4, strides=[2, 2])
    x, cin, number = relu6(x), 4, 0
    stages = ((1, 1, 4), (6, 2, 5), (6, 2, 6), (6, 3, 7), (6, 3, 8), (6, 4, 9), (6, 1, 10))
    for expand, repeats, cout in stages:
        for _ in range(repeats):
            with b.module(f"_blocks.{number}"):
                skip, wide = x, cin * expand
                if expand > 1:
                    with b.module("_expand_conv"):
                        x = b.conv(x, cin, wide, 1)
                    x = relu6(x)
                with b.module("_depthwise_conv"):
                    x = b.conv(x, wide, wide, group=wide)
                x = relu6(x)
                with b.module("_project_conv"):
                    x = b.conv(x, wide, cout, 1)
                if cin == cout and number:
                    x = b.add("Add", x, skip)
            cin, number = cout, number + 1
    with b.module("_conv_head"):
        x = b.conv(x, cin, 12, 1)
    x = relu6(x)
    with b.module("_avg_pooling"):
        x = b.add("GlobalAveragePool", x)
    x = b.add("Flatten", x, axis=1)
    with b.module("_fc"):
        return b.linear(x, 12, 6)


def densenet121(b: Builder) -> str:
    """Every layer reads all before it: BatchNorm behind a Concat cannot be folded."""
    x = b.input("x", "batch", 3, 32, 32)
    with b.module("features"):
        with b.module("conv0"):
            x = b.conv(x, 3, 4, 7, strides=[2, 2])
        with b.module("relu0"):
            x = b.add("Relu", x)
        width = 4
        for block, layers in enumerate((6, 12, 24, 16), 1):
            with b.module(f"denseblock{block}"):
                made = [x]
                for number in range(1, layers + 1):
                    with b.module(f"denselayer{number}"):
                        y = b.add("Concat", *made, axis=1) if len(made) > 1 else made[0]
                        with b.module("norm1"):
                            y = b.batch_norm(y, width)
                        with b.module("relu1"):
                            y = b.add("Relu", y)
                        with b.module("conv1"):
                            y = b.conv(y, width, 4, 1)
                        with b.module("relu2"):
                            y = b.add("Relu", y)
                        with b.module("conv2"):
                            made.append(b.conv(y, 4, 2))
                        width += 2
                x = b.add("Concat", *made, axis=1)
            if block < 4:
                with b.module(f"transition{block}"):
                    with b.module("norm"):
                        x = b.batch_norm(x, width)
                    with b.module("relu"):
                        x = b.add("Relu", x)
                    with b.module("conv"):
                        x = b.conv(x, width, width // 2, 1)
                    with b.module("pool"):
                        x = b.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
                    width //= 2
        with b.module("norm5"):
            x = b.batch_norm(x, width)
    x = b.add("Relu", x)
    x = b.add("Flatten", b.add("GlobalAveragePool", x), axis=1)
    with b.module("classifier"):
        return b.linear(x, width, 6)


def keras_net(b: Builder) -> tuple[str, str]:
    """NHWC maps: each convolution stands between two transpositions; softmax at the end."""
    x = b.input("input_1", None, 16, 16, 3)
    for name, cin, cout in (("conv2d", 3, 4), ("conv2d_1", 4, 5)):
        with b.module(name):
            x = b.add("Transpose", x, perm=[0, 3, 1, 2])
            x = b.add("Conv", x, b.weight(cout, cin, 3, 3), pads=[1] * 4)
            x = b.add("Transpose", x, perm=[0, 2, 3, 1])
            x = b.add("Relu", b.add("Add", x, b.weight(cout, name="bias")))
    with b.module("global_average_pooling2d"):
        x = b.add("ReduceMean", x, b.constant([1, 2], "int64"), keepdims=0)
    with b.module("dense"):
        x = b.add("Add", b.add("MatMul", x, b.weight(5, 8)), b.weight(8, name="bias"))
        x = b.add("Relu", x)
    with b.module("dense_1"):
        logits = b.add("Add", b.add("MatMul", x, b.weight(8, 6)), b.weight(6, name="bias"))
        return logits, b.add("Softmax", logits, out="predictions", axis=-1)
