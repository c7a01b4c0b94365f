"""What can go wrong with the window itself."""

from __future__ import annotations

from inspector.errors import InspectorError


class ViewerError(InspectorError):
    """The window cannot be shown as asked."""


class NoDisplayError(ViewerError):
    """There is no screen to open a window on."""


class GraphicsLibraryError(ViewerError):
    """A system library that the window needs is missing."""


class TextureError(ViewerError):
    """Picture data that must not reach the graphics library, which would crash on it."""
