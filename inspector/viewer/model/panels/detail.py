"""A card in the Image and the Category view: everything but the rows of units."""

from __future__ import annotations

import math

from inspector.viewer.model import actions as act
from inspector.viewer.model.cards import CardView
from inspector.viewer.model.category_data import CategoryData, Errors
from inspector.viewer.model.detail_layout import DetailLayout, arrange_detail, strip_cell
from inspector.viewer.model.drawing import Drawing, Style, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.image_data import ImageData
from inspector.viewer.model.numbers import NONE, count, percent, plural
from inspector.viewer.model.palette import faded
from inspector.viewer.model.panels.card import begin_card, draw_header, draw_problem
from inspector.viewer.model.panels.parts import Stat, bar, link, middle, stats, title
from inspector.viewer.model.panels.strip import draw_strip


def draw_detail(card: CardView, width: float, height: float, style: Style, hot: str) -> Drawing:
    """Draw a card of the Image or Category view."""
    d = begin_card(card, width, height, style)
    px = style.px
    parts = arrange_detail(card, width, height, style)
    draw_header(d, card, parts.header, hot)
    below = parts.header.bottom + px(8)
    if card.problem is not None:
        draw_problem(d, card, Rect(parts.header.x, below, parts.header.w, height - below))
        return d
    if card.loading:
        d.text(parts.header.x, below, "Reading …", size=style.small, colour=style.palette.dim)
        return d
    if card.image is not None and not card.follows:
        _image(d, card, card.image, parts, hot)
    if card.category is not None:
        _category(d, card, card.category, parts, hot)
    _rows_title(d, card, parts)
    return d


def _rows_title(d: Drawing, card: CardView, parts: DetailLayout) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    heading = card.rows_title or "Top units"
    if not card.follows:
        heading += f" in {card.place.layer}"
    title(d, parts.rows_title, heading, card.rows_note)
    if card.rows:
        return
    if card.image is not None and card.image.skipped:
        text = f"The model never saw this image: {card.image.skipped}"
    elif not card.rows_title:
        text = f"{card.place.layer} is not in this recording."
    else:
        text = "No unit has an activity that is finite and not 0."
    rect = parts.rows
    y = rect.y + px(4)
    for line in style.regular.wrapped(text, style.small, rect.w, 4):
        d.text(rect.x, y, line, size=style.small, colour=palette.dim)
        y += px(20)


def _image(d: Drawing, card: CardView, image: ImageData, parts: DetailLayout, hot: str) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    rect = parts.main
    assert rect is not None
    side = int(rect.h)
    frame = Rect(rect.x, rect.y, side, side)
    d.box(frame, faded(palette.dim, 0.12), radius=px(7))
    d.picture(("tile", card.number, image.image, side, px(7)), frame)
    x = frame.right + px(16)
    room = rect.right - x
    y = rect.y
    d.text(x, y, f"Image {image.image:,}", size=px(20), bold=True, room=room)
    y += px(28)
    y = _fact(d, card, "label", image.label, image.label_name, x, y, room, hot, wrong=False)
    answer = card.category_name(image.prediction)
    y = _fact(d, card, "answer", image.prediction, answer, x, y, room, hot, wrong=image.wrong)
    lines = [f"{name} {text}" for name, text in image.columns]
    if image.path:
        lines.insert(0, image.path)
    for line in lines:
        if y + px(18) > rect.bottom + px(2):
            break
        d.text(x, y, line, size=style.tiny, colour=palette.dim, room=room)
        y += px(18)
    if lines:
        d.zone(Rect(x, rect.y, room, px(26)), tip=Tip(f"Image {image.image:,}", tuple(lines[:24])))
    if parts.left is not None:
        _answers(d, card, image, parts.left, hot)


def _fact(
    d: Drawing, card: CardView, what: str, category: int, name: str, x: float, y: float,
    room: float, hot: str, *, wrong: bool,
) -> float:  # fmt: skip
    style, palette, px = d.style, d.style.palette, d.style.px
    width = d.text(x, y + px(1), what, size=style.tiny, colour=palette.dim)
    left = x + max(width, px(40)) + px(8)
    zone = f"card.{card.number}.{what}"
    if category < 0:
        d.text(left, y, NONE, size=style.small, colour=palette.faint)
    else:
        link(
            d, left, y, name, act.OpenCategory(card.number, category), zone, hot,
            room=x + room - left, colour=palette.bad if wrong else palette.text,
            tip=Tip(f"{name} (category {category})", ("click to look at this category",)),
        )  # fmt: skip
    return y + px(22)


def _answers(d: Drawing, card: CardView, image: ImageData, rect: Rect, hot: str) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    title(d, rect, "Answers", "probability")
    if not image.answers:
        text = "no classification layer" if not image.skipped else "skipped while recording"
        d.text(rect.x, rect.y + px(28), text, size=style.small, colour=palette.dim)
        return
    names = max(style.regular.width(answer.name, style.small) for answer in image.answers)
    name_width = min(names, rect.w * 0.42)
    row_high = min(px(28), (rect.h - px(24)) / 5)
    for place, answer in enumerate(image.answers):
        row = Rect(rect.x, rect.y + px(24) + place * row_high, rect.w, row_high)
        y = middle(row, style.small)
        right = answer.category == image.label
        link(
            d, row.x, y, answer.name, act.OpenCategory(card.number, answer.category),
            f"card.{card.number}.answer.{answer.category}", hot, room=name_width + 1,
            colour=palette.good if right else palette.text,
            tip=Tip(
                f"{answer.name} (category {answer.category})",
                (f"probability {answer.probability:.6f}",) + (("the label",) if right else ()),
            ),
        )  # fmt: skip
        text = percent(answer.probability)
        wide = d.text(row.right, y, text, size=style.small, align="right", colour=palette.dim)
        left = row.x + name_width + px(12)
        thick = px(6)
        room = row.right - max(wide, px(52)) - px(10) - left
        if room > px(12):
            bar(
                d, Rect(round(left), round(row.y + (row.h - thick) / 2), round(room), thick),
                answer.probability, palette.recording(card.number),
            )  # fmt: skip


def _category(
    d: Drawing, card: CardView, category: CategoryData, parts: DetailLayout, hot: str
) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    rect = parts.main
    assert rect is not None
    width = d.text(rect.x, rect.y, category.name, size=px(20), bold=True, room=rect.w * 0.6)
    d.text(
        rect.x + width + px(10), rect.y + px(5), f"category {category.category}",
        size=style.small, colour=palette.dim, room=rect.w - width - px(10),
    )  # fmt: skip
    recall = "no image has this label" if not category.images else "no answer is recorded"
    cells = (
        (
            "recall", percent(category.recall),
            Tip(
                f"Recall {percent(category.recall, 3)}",
                (f"of {plural(category.answered, 'image')} with this label, answered as it",),
            )
            if category.answered
            else Tip("Recall cannot be computed", (recall,)),
        ),
        ("images", count(category.images), Tip("Images with this label")),
        ("missed", count(category.missed.count), Tip("Answered otherwise (false negatives)")),
        ("claimed", count(category.claimed.count),
         Tip("Of other categories, answered as this one (false positives)")),
    )  # fmt: skip
    below = Rect(rect.x, rect.y + px(32), rect.w, px(44))
    stats(d, below, [Stat(*cell) for cell in cells])
    if parts.left is not None:
        _errors(d, card, category.missed, parts.left, "Missed", "answered as", hot)
    if parts.right is not None:
        _errors(d, card, category.claimed, parts.right, "Claimed", "in truth", hot)


def _errors(
    d: Drawing, card: CardView, errors: Errors, rect: Rect, heading: str, other: str, hot: str
) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    cell = strip_cell(rect.w, card.native, style)
    if not errors.count:
        title(d, rect, heading)
        d.text(rect.x, rect.y + px(26), "none", size=style.small, colour=palette.faint)
        return
    drawn = draw_strip(
        d, card, errors.images, rect.x, rect.y + px(24), rect.w, cell, hot, says="probability"
    )
    more = errors.count - drawn
    title(d, rect, heading, f"surest first, +{count(more)} more" if more else "surest first")
    most = errors.others[0][2]
    names = [name for _, name, _ in errors.others[:3]]
    name_width = min(rect.w * 0.4, max(style.regular.width(name, style.tiny) for name in names))
    caption = style.regular.width(other, style.tiny) + px(8)
    y = rect.y + px(24) + cell + px(6)
    for place, (category, name, images) in enumerate(errors.others[:3]):
        row = Rect(rect.x, y + place * px(20), rect.w, px(20))
        at = middle(row, style.tiny)
        if place == 0:
            d.text(row.x, at, other, size=style.tiny, colour=palette.faint)
        left = row.x + caption
        link(
            d, left, at, name, act.OpenCategory(card.number, category),
            f"card.{card.number}.{heading}.{category}", hot, room=name_width + 1,
            colour=palette.text, size=style.tiny,
            tip=Tip(name, (f"{plural(images, 'image')}, {percent(images / errors.count)} of all",)),
        )  # fmt: skip
        text = f"{count(images)}  ·  {percent(images / errors.count, 0)}"
        wide = d.text(row.right, at, text, size=style.tiny, align="right", colour=palette.dim)
        start = left + name_width + px(10)
        room = row.right - max(wide, px(56)) - px(10) - start
        if room > px(12) and not math.isnan(room):
            thick = px(5)
            bar(
                d, Rect(round(start), round(row.y + (row.h - thick) / 2), round(room), thick),
                images / most, faded(palette.recording(card.number), 0.85),
            )  # fmt: skip
