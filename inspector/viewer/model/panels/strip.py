"""One row of small pictures that lead to their images."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inspector.viewer.model import actions as act
from inspector.viewer.model.cards import CardView
from inspector.viewer.model.detail_layout import strip_columns
from inspector.viewer.model.drawing import Drawing, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.numbers import exact, percent
from inspector.viewer.model.palette import faded
from inspector.viewer.model.unit_data import TopImage


def draw_strip(
    d: Drawing,
    card: CardView,
    images: Sequence[TopImage],
    x: float,
    y: float,
    width: float,
    cell: int,
    hot: str,
    *,
    says: str,
    divisor: float = math.nan,
    scroll: str | None = None,
    most: int = 18,
) -> int:
    """Draw as many images as fit, and return how many that is.

    Parameters
    ----------
    says
        What the value of an image is, in its tooltip.
    """
    palette, px = d.style.palette, d.style.px
    columns = strip_columns(width, cell, px(6), most)
    gap: float = px(6)
    if 1 < columns < most:
        gap = min(px(14), (width - columns * cell) / (columns - 1))
    for column, top in enumerate(images[:columns]):
        rect = Rect(round(x + column * (cell + gap)), round(y), cell, cell)
        name = f"card.{card.number}.image.{top.image}"
        d.box(rect, faded(palette.dim, 0.12), radius=px(5))
        d.picture(("tile", card.number, top.image, cell, px(5)), rect)
        if hot == name:
            d.mark(rect.inset(-1), palette.recording(card.number), px(6), px(2))
        d.zone(
            rect,
            act.OpenImage(card.number, top.image),
            image_tip(card, top, says, divisor),
            scroll=scroll,
            name=name,
        )
    return min(columns, len(images))


def image_tip(card: CardView, top: TopImage, says: str, divisor: float) -> Tip:
    """What hovering over an image says."""
    lines = [f"{says} {exact(top.value)}"]
    if not math.isnan(divisor):
        lines.append(f"{percent(top.value / divisor)} of the Normalizer's maximum")
    lines.append(f"label {card.category_name(top.label)}" if top.label >= 0 else "no label")
    warning = ""
    if top.prediction >= 0:
        answer = card.category_name(top.prediction)
        sure = "" if math.isnan(top.confidence) else f", {percent(top.confidence)}"
        if top.wrong:
            warning = f"predicted {answer}{sure}"
        else:
            lines.append(f"predicted {answer}{sure}")
    return Tip(f"Image {top.image:,}", tuple(lines), (card.number, top.image), warning)
