"""Telling by its first bytes what a file is that is no ONNX model."""

from __future__ import annotations

_EXPORT = "export it to ONNX first"
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG", "a PNG image"),
    (0, b"\xff\xd8\xff", "a JPEG image"),
    (0, b"GIF8", "a GIF image"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89HDF\r\n", f"an HDF5 file (Keras weights?): {_EXPORT}, with tf2onnx"),
    (0, b"\x93NUMPY", "a NumPy array: give it as DATA"),
    (4, b"TFL3", f"a TensorFlow Lite model: {_EXPORT}, with tf2onnx"),
    (4, b"ORTM", "an ORT-format model: give the .onnx file that it was made from"),
    (0, b"\x80\x02", f"a Python pickle (PyTorch weights?): {_EXPORT}, with torch.onnx.export"),
    (0, b"\x80\x04", f"a Python pickle: {_EXPORT}"),
    (0, b"\x80\x05", f"a Python pickle: {_EXPORT}"),
    (0, b"\x1f\x8b", "gzip-compressed: unpack it first"),
    (0, b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "zstd-compressed: unpack it first"),
    (0, b"\x7fELF", "a program"),
    (0, b"GGUF", f"a GGUF model: {_EXPORT} from its framework"),
    (0, b"version https://git-lfs", "a Git LFS pointer: fetch the file with `git lfs pull`"),
)


def describe_file(data: bytes) -> str:
    """What the bytes are, in words and with what to do; "" when they may be an ONNX model."""
    if not data:
        return "empty: copy or export it again"
    for offset, magic, words in _MAGIC:
        if data[offset : offset + len(magic)] == magic:
            return words
    if data[:2] == b"PK":
        head = data[:4096]
        if b"data.pkl" in head or b"/version" in head or b"byteorder" in head:
            return f"a PyTorch checkpoint: {_EXPORT}, with torch.onnx.export"
        if b".npy" in head:
            return "a NumPy archive: give it as DATA"
        if b"metadata.json" in head and b"config.json" in head:
            return f"a Keras model: {_EXPORT}, with keras.Model.export(format='onnx') or tf2onnx"
        return "a zip archive: unpack it first"
    if len(data) > 9 and data[8:9] == b"{" and int.from_bytes(data[:8], "little") < len(data):
        return f"a safetensors file (weights alone, without a graph): {_EXPORT}"
    start = data[:512].lstrip()
    if start[:1] in (b"{", b"["):
        return "JSON text"
    if start[:1] == b"<":
        return "HTML or XML text (an error page that was saved in place of the model?)"
    try:
        text = data[:512].decode("utf-8")
    except UnicodeDecodeError:
        return ""
    if text and all(char.isprintable() or char in "\r\n\t" for char in text):
        return f"text that begins with {text.splitlines()[0][:40]!r}"
    return ""
