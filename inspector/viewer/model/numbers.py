"""Numbers as people read them."""

from __future__ import annotations

import functools
import math

NONE = "–"


def count(number: int) -> str:
    """A whole number with thin groups of thousands: 48,210."""
    return f"{number:,}"


def plural(number: int, word: str) -> str:
    """A count and its word: "1 image", "5,000 images"."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


# Cards share their axes, and redraw the numbers that they showed before.
@functools.lru_cache(maxsize=1 << 14)
def value(number: float, digits: int = 2) -> str:
    """An activity in a form that keeps `digits` decimals where they say something.

    11.52, 0.13, 1,234, 0.0042, 1.3e-05, 2.4e+07; NaN and infinity in words.
    """
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    size = abs(number)
    if size == 0:
        return "0"
    if size >= 1e6 or size < 1e-4:
        return f"{number:.1e}"
    if size >= 1000:
        return f"{number:,.0f}"
    if size >= 100:
        return f"{number:.{min(digits, 1)}f}"
    if size < 0.1:
        return f"{number:.2g}"
    return f"{number:.{digits}f}"


def exact(number: float) -> str:
    """Every digit that a float32 holds."""
    if math.isnan(number) or math.isinf(number):
        return value(number)
    return f"{number:.9g}"


@functools.lru_cache(maxsize=1 << 14)
def percent(share: float, digits: int = 1) -> str:
    """A share as a percentage: 3.2 %, 60.0 %, 100 %, <0.1 %, 120 %."""
    if math.isnan(share):
        return NONE
    if math.isinf(share):
        return "∞"
    hundredths = share * 100
    if hundredths == 0:
        return "0 %"
    if abs(hundredths) >= 99.95:
        return f"{hundredths:,.0f} %"
    least = 10.0**-digits
    if 0 < hundredths < least / 2:
        return f"<{least:g} %"
    return f"{hundredths:.{digits}f} %"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers from `low` to `high`, `about` so many: steps of 1, 2 or 5 × a power of ten."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low] if math.isfinite(low) else []
    raw = span / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((m * power for m in (1, 2, 5) if m * power >= raw * 0.75), 10 * power)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, last + 1)]


def tick(number: float, step: float) -> str:
    """A tick's label, with as many decimals as the step needs."""
    if number == 0:
        return "0"
    if abs(number) >= 1e6 or (abs(step) < 1e-4):
        return f"{number:.3g}"
    decimals = max(0, -math.floor(math.log10(abs(step)) + 1e-9)) if step else 2
    return f"{number:,.{decimals}f}"
