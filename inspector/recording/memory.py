"""Keeping freed memory at hand."""

from __future__ import annotations

import numpy as np

_KEPT = 16 << 20


def keep_freed_memory() -> None:
    """Let the C library keep freed blocks of up to 16 MiB for the next array.

    glibc gives blocks above a threshold straight back to the system, whose clean pages for the
    next array cost more than what is done with them: a summary took three times as long. The
    threshold follows the largest block freed so far; this frees one, never touched, so it costs
    nothing. Elsewhere it does no harm.
    """
    np.empty(_KEPT, np.uint8)
