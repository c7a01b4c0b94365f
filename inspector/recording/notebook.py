"""A recording as a small HTML table."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from inspector.text import clean

if TYPE_CHECKING:
    from inspector.recording.recording import Recording

_LAYERS_SHOWN = 30


def html_of(recording: Recording) -> str:
    """Return what a notebook shows for a recording: its facts, then its layers."""
    accuracy = recording.accuracy
    state = "finished" if recording.finished else f"of {recording.header.images:,}, unfinished"
    facts = [
        ("model", recording.model.get("name", "")),
        ("images", f"{recording.images:,} ({state})"),
        ("classes", f"{len(recording.classes):,}"),
        ("accuracy", "–" if accuracy != accuracy else f"{accuracy:.2%}"),
        ("columns", ", ".join(recording.columns) or "–"),
    ]
    rows = "".join(f"<tr><th>{name}</th><td>{_text(value)}</td></tr>" for name, value in facts)
    layers = "".join(
        f"<tr><td>{_text(layer.name)}</td><td>{_text(layer.kind)}</td><td>{layer.units:,}</td>"
        f"<td>{_text(', '.join(layer.reductions))}</td></tr>"
        for layer in recording.layers[:_LAYERS_SHOWN]
    )
    hidden = len(recording.layers) - _LAYERS_SHOWN
    more = f"<tr><td colspan=4>… and {hidden} more layers</td></tr>" if hidden > 0 else ""
    return (
        f"<b>{_text(recording.name)}</b><table>{rows}</table><table><tr><th>layer</th>"
        f"<th>kind</th><th>units</th><th>reductions</th></tr>{layers}{more}</table>"
    )


def _text(value: str) -> str:
    return escape(clean(value, 120))
