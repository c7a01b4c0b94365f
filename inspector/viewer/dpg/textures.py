"""Textures: made in one checked function, uploaded a few at a time, the oldest deleted.

Only static textures are used (others are uploaded again every frame and leak), and everything
here runs on the thread that draws (elsewhere textures leak). Bad data would crash the process.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

import dearpygui.dearpygui as dpg
import numpy as np
from numpy.typing import NDArray

from inspector.viewer.errors import TextureError
from inspector.viewer.model.work import Failure

ROOM = 160 << 20
"""Bytes of pictures kept (float32, and as much again in the driver)."""
LARGEST = 4096
"""Largest side of a texture that every driver takes."""


def make_texture(pixels: NDArray[np.float32], registry: int) -> int:
    """Make a static texture.

    Parameters
    ----------
    pixels
        float32 [height, width, 4], C-contiguous, 0..1, at most 4096 a side.

    Raises
    ------
    TextureError
        For anything else: Dear PyGui would read beyond the array.
    """
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.float32
        or pixels.ndim != 3
        or pixels.shape[2] != 4
        or not pixels.flags.c_contiguous
        or not 1 <= pixels.shape[0] <= LARGEST
        or not 1 <= pixels.shape[1] <= LARGEST
    ):
        raise TextureError(
            f"a texture must be contiguous float32 [height, width, 4] of 1 to {LARGEST} pixels a "
            f"side, not {getattr(pixels, 'dtype', type(pixels))} {getattr(pixels, 'shape', '')}"
        )
    height, width = pixels.shape[:2]
    return int(dpg.add_static_texture(width, height, pixels, parent=registry))


class Textures:
    """Textures by key; pictures wait in memory until there is time to upload them."""

    def __init__(self, room: int = ROOM) -> None:
        self.registry = int(dpg.add_texture_registry())
        self._room = room
        self._used = 0
        self._textures: OrderedDict[Hashable, tuple[int | None, int]] = OrderedDict()
        self._ready: dict[Hashable, NDArray[np.float32] | Failure] = {}

    def get(self, key: Hashable) -> int | None:
        """The texture, or None while there is none."""
        found = self._textures.get(key)
        if found is None:
            return None
        self._textures.move_to_end(key)
        return found[0]

    def knows(self, key: Hashable) -> bool:
        """Whether the picture is uploaded, failed, or about to be uploaded."""
        return key in self._textures or key in self._ready

    def put(self, key: Hashable, pixels: NDArray[np.float32] | Failure) -> None:
        """Hand over a decoded picture (or why there is none)."""
        self._ready[key] = pixels

    @property
    def waiting(self) -> bool:
        """Whether pictures still wait for their upload."""
        return bool(self._ready)

    def upload(self, needed: Callable[[Hashable], bool], seconds: float = 0.006) -> int:
        """Upload what is ready for about so many seconds; drop what is no longer needed."""
        begin = time.perf_counter()
        made = 0
        for key in list(self._ready):
            pixels = self._ready.pop(key)
            if not needed(key):
                continue
            if isinstance(pixels, Failure):
                self._textures[key] = (None, 0)
                continue
            self._textures[key] = (make_texture(pixels, self.registry), pixels.nbytes)
            self._used += pixels.nbytes
            made += 1
            if time.perf_counter() - begin > seconds:
                break
        self._evict(needed)
        return made

    def _evict(self, needed: Callable[[Hashable], bool]) -> None:
        if self._used <= self._room:
            return
        for key in list(self._textures):
            if self._used <= self._room:
                return
            if needed(key):
                continue
            texture, size = self._textures.pop(key)
            self._used -= size
            if texture is not None:
                dpg.delete_item(texture)

    def forget(self, test: Callable[[Hashable], bool]) -> None:
        """Drop failed pictures whose key passes the test, so that they are tried again."""
        for key in [k for k, (texture, _) in self._textures.items() if texture is None and test(k)]:
            del self._textures[key]
