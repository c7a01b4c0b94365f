"""One recording in the Unit view: header, numbers, distribution and categories."""

from __future__ import annotations

import math

from inspector.viewer.model import actions as act
from inspector.viewer.model.cards import CardView
from inspector.viewer.model.drawing import Drawing, Style, Tip, shown
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.layout import CardLayout, arrange_card
from inspector.viewer.model.numbers import NONE, count, exact, percent, plural, value
from inspector.viewer.model.palette import faded, mixed
from inspector.viewer.model.panels.parts import Stat, bar, middle, pill, stats, title
from inspector.viewer.model.panels.plot import draw_histogram
from inspector.viewer.model.panels.scores import draw_scores
from inspector.viewer.model.unit_data import UnitData


def draw_card(card: CardView, width: float, height: float, style: Style, hot: str) -> Drawing:
    """Draw everything of a card but its pictures.

    Parameters
    ----------
    hot
        Name of the zone under the mouse.
    """
    d = begin_card(card, width, height, style)
    parts = arrange_card(width, height, style, card.scored)
    draw_header(d, card, parts.header, hot)
    if card.problem is not None:
        draw_problem(d, card, Rect(parts.stats.x, parts.stats.y, parts.stats.w, height))
        return d
    if card.data is None:
        _waiting(d, parts)
        return d
    _stats(d, card, card.data, parts.stats)
    if parts.scores is not None:
        draw_scores(d, card, parts.scores)
    if parts.plot is not None:
        _plot(d, card, card.data, parts.plot)
    if parts.categories is not None:
        _categories(d, card, card.data, parts.categories, parts.category_rows, hot)
    _images_title(d, card, card.data, parts, height)
    return d


def begin_card(card: CardView, width: float, height: float, style: Style) -> Drawing:
    """The empty card."""
    d = Drawing(style)
    palette = style.palette
    edge = palette.accent if card.focused else palette.border
    whole = Rect(0, 0, width, height)
    d.box(whole, palette.card, edge, radius=style.px(8))
    d.zone(whole, act.Focus(card.number), name=f"card.{card.number}")
    return d


def draw_header(d: Drawing, card: CardView, rect: Rect, hot: str) -> None:
    """The colour, name and roles of a recording, and what there is to say of its file."""
    style, palette, px = d.style, d.style.palette, d.style.px
    colour = palette.recording(card.number)
    y = rect.y
    right = rect.right
    if card.problem is None or not card.problem.serious:
        lead, norm = f"card.{card.number}.lead", f"card.{card.number}.normalizer"
        left = pill(
            d, right, y, "Normalizer" if rect.w >= px(310) else "Norm.",
            on=card.normalizes, colour=colour, hot=hot == norm,
            action=act.ToggleNormalizer(card.number), name=norm,
            tip=Tip(
                "Normalizer",
                (
                    "Activity of every recording as a share of this one's",
                    "maximum per unit. Press again for raw activity.",
                ),
            ),
        )  # fmt: skip
        right = pill(
            d, left - px(6), y, "Lead", on=card.leads, colour=colour, hot=hot == lead,
            action=act.ToggleLead(card.number), name=lead,
            tip=Tip(
                "Lead",
                (
                    "The other recordings follow this one's layer and unit.",
                    "Press again and each goes its own way.",
                ),
            ),
        )  # fmt: skip
    dot = px(12)
    d.box(Rect(rect.x, y + px(6), dot, dot), colour, radius=dot / 2)
    d.text(
        rect.x + px(20), y + px(3), card.name, size=px(18), bold=True,
        room=right - rect.x - px(28),
    )  # fmt: skip
    d.zone(
        Rect(rect.x, y, max(1, right - rect.x - px(6)), px(44)),
        act.Focus(card.number),
        Tip(card.name, card.subtitle_tip),
        name=f"card.{card.number}.name",
    )
    x, y = rect.x + px(20), y + px(27)
    if card.warning:
        room = rect.w - px(20)
        width = d.text(x, y, card.warning, size=style.small, colour=palette.warning, room=room)
        d.zone(
            Rect(x, y, width, px(20)),
            act.Focus(card.number),
            Tip(card.warning, style_lines(style, card.warning_tip)),
        )
        x += width + px(10)
    where = f"{card.place.layer}:{card.place.unit}" if card.focused else ""
    line = "  ·  ".join(part for part in (card.subtitle, where) if part)
    room = rect.right - x
    if room > px(60) and line:
        d.text(x, y, line, size=style.small, colour=palette.dim, room=room)


def style_lines(style: Style, text: str) -> tuple[str, ...]:
    """A sentence in lines as wide as a tooltip."""
    return tuple(style.regular.wrapped(text, style.small, style.px(380)))


def draw_problem(d: Drawing, card: CardView, rect: Rect) -> None:
    """Why a card has nothing to show."""
    style, palette, px = d.style, d.style.palette, d.style.px
    problem = card.problem
    assert problem is not None
    colour = palette.bad if problem.serious else palette.dim
    lines = style.regular.wrapped(shown(problem.text), style.small, rect.w - px(28), 14)
    heading = style.bold.wrapped(shown(problem.title), style.body, rect.w - px(28), 3)
    high = px(28) + len(heading) * px(22) + len(lines) * px(20)
    box = Rect(rect.x, rect.y + px(6), rect.w, high)
    d.box(box, faded(colour, 0.08), faded(colour, 0.35), radius=px(7))
    y = box.y + px(12)
    for line in heading:
        d.text(box.x + px(14), y, line, bold=True, colour=colour)
        y += px(22)
    y += px(4)
    for line in lines:
        d.text(box.x + px(14), y, line, size=style.small, colour=palette.text)
        y += px(20)


def _waiting(d: Drawing, parts: CardLayout) -> None:
    """Grey bones where the parts will be."""
    bone = faded(d.style.palette.dim, 0.10)
    radius = d.style.px(6)
    for rect in (parts.stats, parts.plot, parts.categories):
        if rect is not None:
            d.box(rect, bone, radius=radius)
    d.text(
        parts.images_title.x, parts.images_title.y, "Reading …",
        size=d.style.small, colour=d.style.palette.dim,
    )  # fmt: skip


def _stats(d: Drawing, card: CardView, data: UnitData, rect: Rect) -> None:
    px = d.style.px
    ratio = card.ratio
    images = f"over {plural(data.finite, 'image')} with finite activity"
    wide = rect.w / 4 >= px(64)
    cells = (
        (
            "maximum" if wide else "max",
            value(data.maximum),
            Tip(f"Maximum {exact(data.maximum)}", (images, _left_out(data))),
        ),
        (
            "mean",
            value(data.mean),
            Tip(
                f"Mean {exact(data.mean)}",
                (
                    f"{images}, zeros included",
                    f"{value(data.mean_active)} over {plural(data.active, 'image')} other than 0",
                    f"spread (standard deviation) {value(data.spread)}",
                    _left_out(data),
                ),
            ),
        ),
        (
            "ratio",
            percent(ratio.value) if not ratio.reason else NONE,
            Tip(
                f"Ratio {exact(ratio.value)}",
                (f"this maximum divided by {ratio.name}'s, {value(ratio.divisor)}",),
            )
            if not ratio.reason
            else Tip("No ratio", (ratio.reason,)),
            ratio.brief,
        ),
        (
            "zeros",
            percent(data.zeros),
            Tip(
                f"{percent(data.zeros, 3)} of the images leave it at exactly 0",
                (images,),
            ),
        ),
    )
    stats(d, rect, [Stat(*cell) for cell in cells], f"card.{card.number}")


def _left_out(data: UnitData) -> str:
    left = data.images - data.finite
    return f"{plural(left, 'image')} left out (NaN, infinite or skipped)" if left else ""


def _plot(d: Drawing, card: CardView, data: UnitData, rect: Rect) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    note = f"without zeros ({percent(data.zeros)})" if data.zeros > 0 else ""
    title(
        d, rect, "Distribution", note,
        Tip(
            "Share of the images per bar",
            (
                "Range and height are the same for all recordings.",
                "Images that leave the unit at exactly 0 are not drawn.",
            ),
        ),
    )  # fmt: skip
    field = Rect(rect.x, rect.y + px(26), rect.w, rect.h - px(26))
    if data.active == 0:
        d.box(field, faded(palette.dim, 0.06), radius=px(6))
        text = "no activity other than 0" if data.finite else "no finite activity"
        d.text(
            field.x + field.w / 2, middle(field, style.small), text,
            size=style.small, colour=palette.dim, align="centre",
        )  # fmt: skip
    elif card.histogram is not None:
        draw_histogram(d, field, card.histogram, card.number, card.plot_top, data)


def _categories(
    d: Drawing, card: CardView, data: UnitData, rect: Rect, rows: int, hot: str
) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    scaled = not math.isnan(card.ratio.divisor)
    divisor = card.ratio.divisor if scaled else 1.0
    shown = data.categories[:rows]
    heading = "Top categories" if rows == 5 else f"Top {rows} categories"
    title(d, rect, heading, "mean ratio" if scaled else "mean activity")
    if not data.categories:
        text = "no image has a label" if data.labelled == 0 else "no labelled image has activity"
        d.text(rect.x, rect.y + px(28), text, size=style.small, colour=palette.dim)
        return
    texts = [percent(mean.mean / divisor) if scaled else value(mean.mean) for mean in shown]
    number_width = max(style.regular.width(text, style.small) for text in texts)
    names = max(style.regular.width(mean.name, style.small) for mean in shown)
    name_width = min(names, rect.w * 0.42)
    row_high = min(px(30), (rect.h - px(24)) / rows)
    for place, (mean, text) in enumerate(zip(shown, texts, strict=True)):
        row = Rect(rect.x, rect.y + px(24) + place * row_high, rect.w, row_high)
        y = middle(row, style.small)
        name = f"card.{card.number}.category.{mean.category}"
        colour = palette.accent if hot == name else palette.text
        d.text(row.x, y, mean.name, size=style.small, room=name_width + 1, colour=colour)
        left = row.x + name_width + px(12)
        wide = row.right - number_width - px(12) - left
        if wide > px(12):
            share = mean.mean / divisor / card.categories_top if card.categories_top > 0 else 0.0
            thick = px(6)
            bar(
                d, Rect(round(left), round(row.y + (row.h - thick) / 2), round(wide), thick),
                share, palette.recording(card.number),
            )  # fmt: skip
        d.text(row.right, y, text, size=style.small, align="right", colour=palette.dim)
        lines = [f"mean activity {exact(mean.mean)}"]
        if scaled:
            lines.append(f"{percent(mean.mean / divisor)} of {card.ratio.name}'s maximum")
        lines.append(f"over {plural(mean.images, 'image')} with this label")
        lines.append("click to look at this category")
        d.zone(
            row,
            act.OpenCategory(card.number, mean.category),
            Tip(f"{mean.name} (category {mean.category})", tuple(lines)),
            name=name,
        )


def _images_title(
    d: Drawing, card: CardView, data: UnitData, parts: CardLayout, height: float
) -> None:
    style, palette, px = d.style, d.style.palette, d.style.px
    shown = len(data.top)
    note = f"{count(shown)} of {count(data.active)} active" if shown else ""
    title(
        d, parts.images_title, "Top images", note,
        Tip("Images with the highest activity", ("Zero, NaN and infinite are left out.",)),
    )  # fmt: skip
    if shown:
        return
    if data.finite == 0:
        text = "Every activity is NaN or infinite: there is no image to show."
    else:
        text = "This unit is silent here: every finite activity is 0."
    rect = parts.images
    box = Rect(rect.x, rect.y + px(2), rect.w, min(px(72), rect.h))
    d.box(box, mixed(palette.card, palette.window, 0.35), radius=px(7))
    lines = style.regular.wrapped(text, style.small, box.w - px(24), 3)
    y = box.y + (box.h - len(lines) * px(20)) / 2
    for line in lines:
        d.text(box.x + box.w / 2, y, line, size=style.small, colour=palette.dim, align="centre")
        y += px(20)
