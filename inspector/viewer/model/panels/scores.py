"""The line of scores of a card: how its unit differs from the Lead's."""

from __future__ import annotations

from inspector.viewer.model.cards import CardView
from inspector.viewer.model.drawing import Drawing, Tip
from inspector.viewer.model.geometry import Rect
from inspector.viewer.model.numbers import NONE, exact
from inspector.viewer.model.palette import faded
from inspector.viewer.model.panels.parts import middle
from inspector.viewer.model.score_data import UnitScores


def draw_scores(d: Drawing, card: CardView, rect: Rect) -> None:
    """Draw spurious and novelty score, or why there are none."""
    style, palette, px = d.style, d.style.palette, d.style.px
    d.box(rect, faded(palette.dim, 0.07), radius=px(6))
    inner = rect.inset(px(10), 0)
    y = middle(rect, style.small)
    if card.leads:
        d.text(
            inner.x, y, "the others are scored against this one", size=style.tiny,
            colour=palette.faint, room=inner.w,
        )  # fmt: skip
        return
    scores = card.scores
    if scores is None:
        return
    if scores.reason:
        d.text(
            inner.x, y, f"no scores: {scores.reason}", size=style.tiny, colour=palette.faint,
            room=inner.w,
        )  # fmt: skip
        d.zone(rect, tip=Tip("No scores", (scores.reason,)))
        return
    half = inner.w / 2
    for left, (label, number, tip) in zip((inner.x, inner.x + half), _entries(scores), strict=True):
        width = d.text(left, y, label, size=style.small, colour=palette.dim)
        d.text(
            left + width + px(8), y, NONE if number is None else f"{number:.2f}",
            size=style.small, bold=True,
            colour=palette.faint if number is None else palette.text,
            room=half - width - px(8),
        )  # fmt: skip
        d.zone(Rect(left, rect.y, half, rect.h), tip=tip, name=f"card.{card.number}.{label}")


def _entries(scores: UnitScores) -> tuple[tuple[str, float | None, Tip], ...]:
    over = f"over {scores.categories} categories, against {scores.against}"
    if scores.spurious is None or scores.rho is None:
        spurious = Tip(
            "No spurious score", ("a tuning is constant, or has fewer than 3 categories",)
        )
    else:
        spurious = Tip(
            f"Spurious score {exact(scores.spurious)}",
            (
                "1 − |ρ|: how far the order of the categories has changed",
                f"Spearman's ρ = {scores.rho:.3f} {over}",
                f"unrelated tunings have a median of {scores.chance:.2f}",
            ),
        )
    if scores.novelty is None:
        novelty = Tip("No novelty score", ("the InD maximum is not above 0",))
    else:
        novelty = Tip(
            f"Novelty score {exact(scores.novelty)}",
            (
                "highest category mean there less the highest here,",
                f"as shares of the InD maximum; {over}",
                "below 0: these images drive the unit more",
            ),
        )
    return ("spurious", scores.spurious, spurious), ("novelty", scores.novelty, novelty)
