"""The one place where actions change the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.viewer.model import actions as act
from inspector.viewer.model import moves
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.state import (
    PICTURE_SIZES,
    QUANTITIES,
    SCALES,
    USUAL_PICTURE,
    Message,
    Place,
    State,
)

DIGITS = 9
"""Most digits that a typed number grows to."""


def reduce(
    state: State, action: act.Action, catalog: Catalog, order: NDArray[np.int64] | None = None
) -> State:
    """The state after an action.

    Parameters
    ----------
    order
        The units of the layer shown as they are listed, when they are not listed by number:
        stepping follows the list.
    """
    handler = _HANDLERS.get(type(action))
    if handler is None:
        return state
    if not isinstance(action, (act.Scroll, act.Say)):
        state = replace(state, message=None)
    if isinstance(action, act.StepUnit):
        return moves.step_unit(state, action, catalog, order)
    return handler(state, action, catalog)


def start(
    catalog: Catalog,
    *,
    layer: str = "",
    unit: int = 0,
    lead: int | None = None,
    normalizer: int | None = None,
    theme: str = "dark",
    scale: float = 1.0,
) -> State:
    """The first state: every recording at one place."""
    if not catalog.layer(layer):
        layer = first_layer(catalog)
    recordings = len(catalog.names)
    return State(
        places=(Place(layer, unit),) * recordings,
        focus=lead or 0,
        lead=lead,
        normalizer=normalizer,
        theme=theme,
        scale=scale,
        last_units=MappingProxyType({layer: unit}),
    )


def first_layer(catalog: Catalog) -> str:
    """Where to begin: the last layer before the logits, which says most about categories."""
    inner = [layer.name for layer in catalog.layers if layer.kind != "logits"]
    if inner:
        return inner[-1]
    return catalog.layers[0].name if catalog.layers else ""


def _focus(state: State, action: act.Focus, catalog: Catalog) -> State:
    if not state.places:
        return state
    if action.recording < 0:
        return replace(state, focus=(state.focus + 1) % len(state.places))
    return replace(state, focus=min(action.recording, len(state.places) - 1))


def _toggle_lead(state: State, action: act.ToggleLead, catalog: Catalog) -> State:
    recording = state.focus if action.recording < 0 else action.recording
    if recording >= len(state.places):
        return state
    name = catalog.names[recording]
    if state.lead == recording:
        text = f"No Lead: each recording goes its own way; keys move {name}"
        return replace(
            state,
            places=(state.here,) * len(state.places),
            lead=None,
            focus=recording,
            quantity=moves.unled(state.quantity),
            message=Message(text),
        )
    place = state.place(recording)
    last = max(0, catalog.images[recording] - 1)
    place = replace(place, image=min(place.image, last))
    return replace(
        state,
        places=(place,) * len(state.places),
        lead=recording,
        focus=recording,
        message=Message(f"{name} leads: all show its unit"),
    )


def _toggle_normalizer(state: State, action: act.ToggleNormalizer, catalog: Catalog) -> State:
    recording = state.focus if action.recording < 0 else action.recording
    if recording >= len(state.places):
        return state
    if state.normalizer == recording:
        quantity = "maximum" if state.quantity == "ratio" else state.quantity
        message = Message("No Normalizer: raw activity")
        return replace(state, normalizer=None, quantity=quantity, message=message)
    text = f"Activity as a share of the maximum over {catalog.names[recording]}"
    return replace(state, normalizer=recording, message=Message(text))


def _set_reduction(state: State, action: act.SetReduction, catalog: Catalog) -> State:
    return replace(state, reduction=action.reduction, menu="")


def _set_quantity(state: State, action: act.SetQuantity, catalog: Catalog) -> State:
    if action.quantity not in QUANTITIES:
        return state
    if action.quantity == "ratio" and state.normalizer is None:
        text = "no ratio without a Normalizer: choose one on a recording first"
        return replace(state, message=Message(text, False), menu="")
    if action.quantity in ("spurious", "novelty") and (state.lead is None or len(state.places) < 2):
        text = "scores compare a recording with the Lead: choose a Lead first"
        return replace(state, message=Message(text, False), menu="")
    return replace(state, quantity=action.quantity, menu="")


def _toggle_sort(state: State, action: act.ToggleSort, catalog: Catalog) -> State:
    return replace(state, sorted=not state.sorted, menu="")


def _toggle_theme(state: State, action: act.ToggleTheme, catalog: Catalog) -> State:
    return replace(state, theme="light" if state.theme == "dark" else "dark")


def _zoom(state: State, action: act.Zoom, catalog: Catalog) -> State:
    if action.steps == 0:
        return replace(state, scale=1.0)
    near = min(range(len(SCALES)), key=lambda i: abs(SCALES[i] - state.scale))
    scale = SCALES[max(0, min(len(SCALES) - 1, near + action.steps))]
    return replace(state, scale=scale, message=Message(f"scale {scale:.0%}"))


def _zoom_pictures(state: State, action: act.ZoomPictures, catalog: Catalog) -> State:
    if action.steps == 0:
        return replace(state, picture=USUAL_PICTURE)
    near = min(range(len(PICTURE_SIZES)), key=lambda i: abs(PICTURE_SIZES[i] - state.picture))
    picture = PICTURE_SIZES[max(0, min(len(PICTURE_SIZES) - 1, near + action.steps))]
    return replace(state, picture=picture)


def _scroll(state: State, action: act.Scroll, catalog: Catalog) -> State:
    return state.scrolled(action.region, max(0.0, action.offset))


def _type(state: State, action: act.Type, catalog: Catalog) -> State:
    return replace(state, typed=(state.typed + action.character)[:DIGITS], menu="")


def _erase(state: State, action: act.Erase, catalog: Catalog) -> State:
    return replace(state, typed=state.typed[:-1])


def _enter(state: State, action: act.Enter, catalog: Catalog) -> State:
    if not state.typed:
        return state
    return replace(moves.submit(state, act.Submit(state.typed), catalog), typed="")


def _escape(state: State, action: act.Escape, catalog: Catalog) -> State:
    return replace(state, help=False, menu="", typed="", message=None)


def _open_menu(state: State, action: act.OpenMenu, catalog: Catalog) -> State:
    return replace(state, menu="" if state.menu == action.menu else action.menu, help=False)


def _toggle_help(state: State, action: act.ToggleHelp, catalog: Catalog) -> State:
    return replace(state, help=not state.help, menu="")


def _focus_search(state: State, action: act.FocusSearch, catalog: Catalog) -> State:
    return replace(state, searching=state.searching + 1, menu="", typed="", help=False)


def _say(state: State, action: act.Say, catalog: Catalog) -> State:
    return replace(state, message=Message(action.text, action.good))


_HANDLERS: dict[type[act.Action], Callable[[State, Any, Catalog], State]] = {
    act.Go: moves.go,
    act.GoLayer: moves.go_layer,
    act.StepUnit: lambda state, action, catalog: moves.step_unit(state, action, catalog, None),
    act.SetView: moves.set_view,
    act.OpenImage: moves.open_image,
    act.OpenCategory: moves.open_category,
    act.OpenUnit: moves.open_unit,
    act.StepLayer: moves.step_layer,
    act.Submit: moves.submit,
    act.Back: moves.back,
    act.Forward: moves.forward,
    act.Focus: _focus,
    act.ToggleLead: _toggle_lead,
    act.ToggleNormalizer: _toggle_normalizer,
    act.SetReduction: _set_reduction,
    act.SetQuantity: _set_quantity,
    act.ToggleSort: _toggle_sort,
    act.ToggleTheme: _toggle_theme,
    act.Zoom: _zoom,
    act.ZoomPictures: _zoom_pictures,
    act.Scroll: _scroll,
    act.Type: _type,
    act.Erase: _erase,
    act.Enter: _enter,
    act.Escape: _escape,
    act.OpenMenu: _open_menu,
    act.ToggleHelp: _toggle_help,
    act.FocusSearch: _focus_search,
    act.Say: _say,
}
