"""Drawing with Dear PyGui; importing this package does not import it, `show` does."""

from __future__ import annotations

from inspector.viewer.dpg.show import show

__all__ = ["show"]
