"""The distribution of a unit's activity as bars."""

from __future__ import annotations

from inspector.viewer.model.drawing import Drawing, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.histogram import Histogram
from inspector.viewer.model.numbers import percent, plural, tick, ticks, value
from inspector.viewer.model.palette import faded
from inspector.viewer.model.unit_data import UnitData, reduction_name

TITLED = 100
"""Height of a plot (pixels at scale 1) from which its axes have titles."""


def draw_histogram(
    d: Drawing, rect: Rect, histogram: Histogram, number: int, top: float, data: UnitData
) -> None:
    """Draw bars, axes and the mean of what is drawn (zeros are not) into `rect`.

    Parameters
    ----------
    top
        The share at the upper end of the axis before room is added: the same for all recordings.
    data
        The unit: its mean is marked by a line, its reduction named below the axis.
    """
    style, palette = d.style, d.style.palette
    px = style.px
    colour = palette.recording(number)
    axis = px(34)
    # In a low plot the bars need the room of the titles.
    titled = px(15) if rect.h >= px(TITLED) else 0
    field = Rect(rect.x + axis, rect.y + titled, rect.w - axis, rect.h - px(18) - 2 * titled)
    top = top * 1.16 if top > 0 else 1.0
    shown = ticks(0, top * 100, 3)
    step = shown[1] - shown[0] if len(shown) > 1 else 1.0
    for mark in shown:
        y = round(field.bottom - mark / (top * 100) * field.h)
        d.line((field.x, y), (field.right, y), colour=palette.grid)
        label = tick(mark, step)
        if not titled and mark == shown[-1]:
            label += " %"
        d.text(
            field.x - px(6),
            max(y - style.tiny / 2, field.y - px(7)),
            label,
            size=style.tiny,
            colour=palette.faint,
            align="right",
        )
    span = histogram.high - histogram.low
    shown = ticks(histogram.low, histogram.high, max(2, int(field.w // px(70))))
    step = shown[1] - shown[0] if len(shown) > 1 else span
    for mark in shown:
        x = field.x + (mark - histogram.low) / span * field.w
        label = tick(mark, step)
        half = style.regular.width(label, style.tiny) / 2
        d.text(
            min(max(x, field.x - px(4) + half), field.right - half),
            field.bottom + px(4),
            label,
            size=style.tiny,
            colour=palette.faint,
            align="centre",
        )
    if titled:
        name = "" if data.reduction == "none" else f"{reduction_name(data.reduction)} "
        d.text(rect.x, rect.y - px(2), "% of images", size=style.tiny, colour=palette.faint)
        d.text(
            field.x + field.w / 2, rect.bottom - style.tiny, f"{name}activity", size=style.tiny,
            colour=palette.faint, align="centre",
        )  # fmt: skip
    shares = histogram.shares
    bars = len(shares)
    gap = 1 if field.w / bars >= 4 else 0
    for bar in range(bars):
        left = round(field.x + bar * field.w / bars)
        right = round(field.x + (bar + 1) * field.w / bars) - gap
        low, high = histogram.edges(bar)
        column = Rect(left, field.y, right - left + gap, field.h)
        images = int(histogram.counts[bar])
        d.zone(
            column,
            tip=Tip(
                f"{value(low)} to {value(high)}",
                (f"{plural(images, 'image')}, {percent(float(shares[bar]))} of all",),
            ),
        )
        if images:
            high_px = max(2.0, float(shares[bar]) / top * field.h)
            y = round(field.bottom - high_px)
            d.box(
                Rect(left, y, right - left, field.bottom - y),
                faded(colour, 0.85),
                radius=min(2.0, px(2)) if right - left > 4 else 0,
            )
    d.line((field.x, field.bottom), (field.right, field.bottom), colour=faded(palette.dim, 0.5))
    mean = data.mean_active
    if histogram.low <= mean <= histogram.high:
        x = round(field.x + (mean - histogram.low) / span * field.w)
        d.line((x, field.y), (x, field.bottom), colour=faded(palette.text, 0.65))
        d.zone(
            Rect(x - px(3), field.y, px(7), field.h),
            tip=Tip(
                f"Mean {value(mean)}",
                (
                    f"over the {plural(data.active, 'image')} other than 0",
                    f"{value(data.mean)} with the zeros included",
                )
                if data.zeros > 0
                else (f"over {plural(data.active, 'image')}",),
            ),
        )
        label = "mean without zeros" if data.zeros > 0 else "mean"
        room = style.regular.width(label, style.tiny) + px(6)
        after = x + px(5) + room <= field.right
        d.text(
            x + px(5) if after else x - px(5),
            field.y - px(1),
            label,
            size=style.tiny,
            colour=palette.dim,
            align="left" if after else "right",
        )
