"""What Inspector knows about operators: the classes that the rule for layers speaks of.

Operators are named by type alone for the standard domains and for ONNX Runtime's contributed ones
(``com.microsoft``), whose names do not clash. Any other domain is unknown.
"""

from __future__ import annotations

from onnx import NodeProto

KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})

CONVOLUTIONS = frozenset(
    {"Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "FusedConv", "DeformConv"}
)
CONVOLUTIONS_CHANNELS_LAST = frozenset({"NhwcConv", "NhwcFusedConv"})
# With a constant operand these are linear; with two live ones they mix (attention).
PRODUCTS = frozenset(
    {
        "Gemm",
        "MatMul",
        "MatMulInteger",
        "QLinearMatMul",
        "QGemm",
        "Einsum",
        "FusedGemm",
        "FusedMatMul",
        "TransposeMatMul",
        "MatMulIntegerToFloat",
        "DynamicQuantizeMatMul",
        "MatMulNBits",
    }
)
RECURRENT = frozenset({"LSTM", "GRU", "RNN"})
ATTENTION = frozenset({"Attention", "MultiHeadAttention", "GroupQueryAttention"})
TABULAR_MODELS = frozenset(
    {
        "LinearClassifier",
        "LinearRegressor",
        "SVMClassifier",
        "SVMRegressor",
        "TreeEnsembleClassifier",
        "TreeEnsembleRegressor",
        "TreeEnsemble",
    }
)

ACTIVATIONS = frozenset(
    {
        "Relu",
        "LeakyRelu",
        "PRelu",
        "Elu",
        "Selu",
        "Celu",
        "Gelu",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Swish",
        "Mish",
        "Softplus",
        "Softsign",
        "Tanh",
        "ThresholdedRelu",
        "Clip",
        "Erf",
        "Shrink",
        "QuickGelu",
        "FastGelu",
        "BiasGelu",
        "QLinearLeakyRelu",
        "QLinearSigmoid",
    }
)
ELEMENTWISE = ACTIVATIONS | frozenset(
    {
        "Abs",
        "Add",
        "Affine",
        "BatchNormalization",
        "BiasAdd",
        "Ceil",
        "Cos",
        "DequantizeLinear",
        "Div",
        "Exp",
        "Floor",
        "ImageScaler",
        "Log",
        "Max",
        "Mean",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "Pow",
        "QLinearAdd",
        "QLinearMul",
        "QuantizeLinear",
        "DynamicQuantizeLinear",
        "Reciprocal",
        "Round",
        "Scaler",
        "Sign",
        "Sin",
        "Sqrt",
        "Sub",
        "Sum",
        "Where",
    }
)
SUMS = frozenset({"Add", "Sum", "Sub", "QLinearAdd", "Mean"})
NORMS = frozenset(
    {
        "GroupNormalization",
        "InstanceNormalization",
        "LayerNormalization",
        "LpNormalization",
        "LRN",
        "MeanVarianceNormalization",
        "Normalizer",
        "RMSNormalization",
        "SimplifiedLayerNormalization",
        "SkipLayerNormalization",
        "SkipSimplifiedLayerNormalization",
    }
)
POOLS = frozenset(
    {
        "AveragePool",
        "GlobalAveragePool",
        "GlobalLpPool",
        "GlobalMaxPool",
        "LpPool",
        "MaxPool",
        "MaxRoiPool",
        "QLinearAveragePool",
        "QLinearGlobalAveragePool",
        "RoiAlign",
    }
)
REDUCES = frozenset(
    {
        "ReduceL1",
        "ReduceL2",
        "ReduceLogSum",
        "ReduceLogSumExp",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
        "QLinearReduceMean",
    }
)
SOFTMAXES = frozenset({"Softmax", "LogSoftmax", "Hardmax", "QLinearSoftmax"})
CONCATS = frozenset({"Concat", "QLinearConcat"})
# The same values in the same order of units: what they join is one layer.
LAYOUT = frozenset(
    {
        "Cast",
        "CastLike",
        "Dropout",
        "Flatten",
        "Identity",
        "Reshape",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    }
)
QUANTIZE = frozenset({"QuantizeLinear", "DequantizeLinear"})
# Other values, fewer or repeated ones, of the same units.
SELECTIONS = frozenset(
    {
        "Compress",
        "DepthToSpace",
        "Expand",
        "Gather",
        "GatherElements",
        "GatherND",
        "GridSample",
        "Pad",
        "Resize",
        "Slice",
        "SpaceToDepth",
        "Split",
        "Tile",
        "Trilu",
        "Upsample",
        "Crop",
        "ScatterElements",
        "ScatterND",
        "ArrayFeatureExtractor",
    }
)
CONTROL_FLOW = frozenset({"If", "Loop", "Scan", "SequenceMap"})
# Their results say how large something is, never what is in it.
SHAPE_READERS = frozenset({"Shape", "Size"})
# Values that are no tensors: never an output of the probe.
NOT_TENSORS = frozenset(
    {
        "Optional",
        "SequenceConstruct",
        "SequenceEmpty",
        "SequenceErase",
        "SequenceInsert",
        "SequenceMap",
        "SplitToSequence",
        "ZipMap",
        "CastMap",
        "DictVectorizer",
    }
)
RANDOM = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial"}
)

LINEAR = "linear"
MIX = "mix"
ELEMENT = "elementwise"
NORM = "norm"
POOL = "pool"
REDUCE = "reduce"
SOFTMAX = "softmax"
CONCAT = "concat"
MOVE = "layout"
SELECT = "selection"
CONTROL = "control flow"
UNKNOWN = "unknown"


def is_known(node: NodeProto) -> bool:
    """Whether the operator's domain is one whose operators have known meanings."""
    return node.domain in KNOWN_DOMAINS


def operator_class(node: NodeProto, live_inputs: int) -> str:
    """The class of a node, given how many of its inputs depend on the model's input.

    Parameters
    ----------
    node
        The node.
    live_inputs
        Number of inputs that depend on the model's input: a product with two is a mix
        (attention), with one it is linear.
    """
    op = node.op_type
    if not is_known(node):
        return UNKNOWN
    if op in CONVOLUTIONS or op in CONVOLUTIONS_CHANNELS_LAST:
        return LINEAR
    if op in PRODUCTS:
        return LINEAR if live_inputs <= 1 else MIX
    if op in RECURRENT or op in TABULAR_MODELS:
        return LINEAR
    if op in ATTENTION:
        return MIX
    for names, name in (
        (ELEMENTWISE, ELEMENT),
        (NORMS, NORM),
        (POOLS, POOL),
        (REDUCES, REDUCE),
        (SOFTMAXES, SOFTMAX),
        (CONCATS, CONCAT),
        (LAYOUT, MOVE),
        (SELECTIONS, SELECT),
        (CONTROL_FLOW, CONTROL),
    ):
        if op in names:
            return name
    return UNKNOWN
