"""Where the parts of the window lie."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.viewer.model.drawing import Style
from inspector.viewer.model.geometry import Rect

CARD_LEAST = 248
"""Narrowest card (pixels at scale 1) in which every part is still readable."""
WIDE = 490
"""From here on a card puts its categories beside the distribution."""


@dataclass(frozen=True)
class Layout:
    """Rectangles in window pixels.

    Cards may reach beyond `stage`, the part of the window that shows them: then `limit` (> 0) is
    how far they can be scrolled sideways. In a narrow window the bar does without the program's
    name (`named`) and the choice of the reduction (a rectangle without width).
    """

    bar: Rect
    named: bool
    search: Rect
    reduction: Rect
    side: Rect
    layers: Rect
    unit_box: Rect
    units: Rect
    stage: Rect
    cards: tuple[Rect, ...]
    status: Rect
    limit: float


def arrange(
    width: float, height: float, style: Style, cards: int, layers: int, scrolled: float = 0.0
) -> Layout:
    """Lay out a window of `width` × `height` pixels for so many cards and layers."""
    px = style.px
    margin, gap = px(10), px(8)
    bar = Rect(margin, margin, max(1, width - 2 * margin), px(48))
    status = Rect(margin, height - margin - px(32), bar.w, px(32))
    top, bottom = bar.bottom + gap, status.y - gap
    side_width = min(px(292), max(px(218), round(width * 0.165)))
    side = Rect(margin, top, side_width, max(1, bottom - top))
    stage_x = side.right + gap
    stage = Rect(stage_x, top, max(1, width - margin - stage_x), side.h)

    tall = px(32)
    y = bar.y + (bar.h - tall) / 2
    buttons = bar.right - px(10) - px(78)
    roomy = bar.w >= px(1150)
    search_width = px(230) if roomy else px(150)
    reduction_width = px(176) if roomy else px(140) if bar.w >= px(780) else 0
    search = Rect(buttons - px(8) - search_width, y, search_width, tall)
    reduction = Rect(search.x - px(8) - reduction_width, y, reduction_width, tall)

    inner = side.inset(px(10), px(12))
    head, row = px(30), px(28)
    most = int(max(3, (inner.h - 2 * head - px(60)) * 0.45 // row))
    layers_high = min(layers, most) * row
    layers_rect = Rect(inner.x, inner.y + head, inner.w, layers_high)
    box = Rect(inner.x, layers_rect.bottom + px(16) + head, inner.w, px(32))
    units_y = box.bottom + px(8)
    units_rect = Rect(inner.x, units_y, inner.w, max(1, inner.bottom - units_y))

    number = max(1, cards)
    card_width = (stage.w - gap * (number - 1)) / number
    least = px(CARD_LEAST)
    limit = 0.0
    if card_width < least:
        card_width = least
        limit = max(0.0, number * (least + gap) - gap - stage.w)
    scrolled = min(max(0.0, scrolled), limit)
    rects = []
    for place in range(cards):
        x = round(stage.x + place * (card_width + gap) - scrolled)
        right = round(stage.x + place * (card_width + gap) + card_width - scrolled)
        rects.append(Rect(x, stage.y, right - x, stage.h))
    return Layout(
        bar=bar,
        named=bar.w >= px(960),
        search=search,
        reduction=reduction,
        side=side,
        layers=layers_rect,
        unit_box=box,
        units=units_rect,
        stage=stage,
        cards=tuple(rects),
        status=status,
        limit=limit,
    )


@dataclass(frozen=True)
class CardLayout:
    """The parts of one card, relative to its upper left corner; None = no room for it."""

    header: Rect
    stats: Rect
    scores: Rect | None
    plot: Rect | None
    categories: Rect | None
    category_rows: int
    images_title: Rect
    images: Rect


IMAGES_LEAST = 116
"""Height (pixels at scale 1) below which the images of a card are not pushed by other parts."""


def arrange_card(width: float, height: float, style: Style, scored: bool = False) -> CardLayout:
    """Lay out a card; `scored` leaves a line for scores.

    In a low window the categories become fewer, then they and the distribution leave.
    """
    px = style.px
    pad = px(14)
    inner = width - 2 * pad
    header = Rect(pad, px(12), inner, px(48))
    stats = Rect(pad, header.bottom + px(8), inner, px(46))
    y = stats.bottom + px(14)
    scores = None
    if scored and height >= px(420):
        scores = Rect(pad, y - px(6), inner, px(28))
        y = scores.bottom + px(12)
    room = height - px(34) - px(IMAGES_LEAST) - y
    gap = px(14)
    plot = categories = None
    rows = 5
    if width >= px(WIDE):
        high = max(_list_height(style, 5), min(px(230), round(height * 0.2)))
        if high + gap > room:
            high, rows = _list_height(style, 3), 3
        if high + gap <= room:
            list_width = round(inner * 0.40)
            left = pad + list_width + px(24)
            categories = Rect(pad, y, list_width, high)
            plot = Rect(left, y, pad + inner - left, high)
            y += high + gap
    else:
        for rows, high in (
            (5, min(px(200), max(px(118), round(height * 0.195)))),
            (5, px(108)),
            (3, px(104)),
            (0, px(104)),
        ):
            list_high = _list_height(style, rows) + gap if rows else 0
            if high + gap + list_high > room:
                continue
            plot = Rect(pad, y, inner, high)
            y = plot.bottom + gap
            if rows:
                categories = Rect(pad, y, inner, list_high - gap)
                y = categories.bottom + px(12)
            break
    title = Rect(pad, y, inner, px(26))
    images = Rect(pad, title.bottom, inner, max(1, height - px(8) - title.bottom))
    return CardLayout(header, stats, scores, plot, categories, rows, title, images)


def _list_height(style: Style, rows: int) -> int:
    return style.px(26) + rows * style.px(22)
