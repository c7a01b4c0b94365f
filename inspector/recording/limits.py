"""Named numbers of the file format: every cap that a reader checks before it allocates."""

from __future__ import annotations

MAGIC = "INSPECTOR"
MAJOR = 1

ALIGN = 64
"""Payload bytes begin at a multiple of this: cache lines, and direct use by other tools."""

MAX_BODY = 2 << 20
"""Bytes of one metadata object: 2 MiB of the worst msgpack (empty maps) decode to 140 MB."""

MAX_DEPTH = 16
"""Nesting of metadata: ours needs 5."""

MAX_PIECE = 32 << 20
"""Bytes of one ``bin`` object; stock msgpack readers refuse objects over 100 MiB."""

MAX_IMAGE_BYTES = 96 << 20
"""Bytes of all thumbnails of one chunk (one ``bin`` object, kept under the 100 MiB above)."""

MAX_THUMBNAIL = 4096
"""Pixels of a thumbnail's longest side."""

MAX_UNITS = 1 << 24
MAX_IMAGES = 1 << 40
MAX_CHUNK = 1 << 20
MAX_RANK = 16

COLUMN_BLOCK = 64 << 10
"""Bytes of a column that share one checksum: what reading one path has to check."""

TOP = 100
"""Images kept per unit in the summary: what a unit view shows at first."""

BINS = 128
"""Bins of a unit's histogram; halving keeps at least 32 over a unit's range for signed layers."""

MAX_SUMMARY = 1 << 28
"""Numbers of a summary made when it is asked for, units × (BINS + TOP); made in about 5 GiB."""
