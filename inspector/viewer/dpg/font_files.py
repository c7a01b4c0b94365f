"""Where the fonts lie, and their widths; needs no toolkit."""

from __future__ import annotations

from pathlib import Path

from inspector.viewer.model.metrics import FontMetrics

FOLDER = Path(__file__).parent / "fonts"
REGULAR = FOLDER / "Inter-Regular.otf"
BOLD = FOLDER / "Inter-SemiBold.otf"


def read_metrics() -> tuple[FontMetrics, FontMetrics]:
    """Widths of the regular and the bold font."""
    return FontMetrics.read(REGULAR), FontMetrics.read(BOLD)
