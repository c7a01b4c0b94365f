"""The one place where actions change the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inspector.viewer.model import actions as act
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.goto import find_category, find_target
from inspector.viewer.model.state import (
    PICTURE_SIZES,
    QUANTITIES,
    SCALES,
    USUAL_PICTURE,
    VIEWS,
    Message,
    Place,
    State,
)

HISTORY = 500
"""Places kept to go back to: more than anyone walks, small enough to forget about."""
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
        return _step_unit(state, action, catalog, order)
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


def _moved(state: State, layer: str, unit: int) -> State:
    return _put(state, replace(state.here, layer=layer, unit=unit))


def _put(state: State, place: Place) -> State:
    """Look at another place, with all recordings under a Lead, else with the one in focus."""
    if not state.places:
        return state
    places = list(state.places)
    kept = {name: offset for name, offset in state.scrolls.items() if "images" not in name}
    if state.lead is None:
        places[state.focus] = place
    else:
        places = [place] * len(places)
    if tuple(places) == state.places:
        return state
    return replace(
        state,
        places=tuple(places),
        past=(*state.past, state.places)[-HISTORY:],
        future=(),
        last_units=MappingProxyType({**state.last_units, place.layer: place.unit}),
        scrolls=MappingProxyType(kept),
        menu="",
        typed="",
    )


def _alone(state: State, recording: int) -> State:
    """Without a Lead when `recording` is a follower, and with it in focus."""
    if state.lead is not None and state.lead != recording:
        return replace(state, places=(state.here,) * len(state.places), lead=None, focus=recording)
    return replace(state, focus=recording)


def _set_view(state: State, action: act.SetView, catalog: Catalog) -> State:
    if action.view not in VIEWS or not state.places:
        return state
    place = replace(state.here, view=action.view)
    images = catalog.images[state.active]
    categories = len(catalog.classes[state.active])
    if action.view == "image" and not images:
        return replace(state, message=Message("there is no image to show", False))
    if action.view == "category" and not categories:
        return replace(state, message=Message("no image has a label here", False))
    place = replace(
        place,
        image=max(0, min(place.image, images - 1)),
        category=max(0, min(place.category, categories - 1)),
    )
    return _put(state, place)


def _open_image(state: State, action: act.OpenImage, catalog: Catalog) -> State:
    if not 0 <= action.recording < len(state.places):
        return state
    images = catalog.images[action.recording]
    if not 0 <= action.image < images:
        text = f"there is no image {action.image}: a valid index is between 0 and {images - 1}"
        return replace(state, message=Message(text, False))
    state = _alone(state, action.recording)
    return _put(state, replace(state.here, view="image", image=action.image))


def _open_category(state: State, action: act.OpenCategory, catalog: Catalog) -> State:
    if not 0 <= action.recording < len(state.places):
        return state
    categories = len(catalog.classes[action.recording])
    if not 0 <= action.category < categories:
        text = (
            f"there is no category {action.category}: "
            f"a valid index is between 0 and {categories - 1}"
        )
        return replace(state, message=Message(text, False))
    state = _alone(state, action.recording)
    return _put(state, replace(state.here, view="category", category=action.category))


def _open_unit(state: State, action: act.OpenUnit, catalog: Catalog) -> State:
    if not 0 <= action.recording < len(state.places):
        return state
    if state.lead is not None:
        state = replace(state, lead=action.recording)
    return _go(replace(state, focus=action.recording), act.Go(action.unit), catalog)


def _go(state: State, action: act.Go, catalog: Catalog) -> State:
    layer = catalog.layer(action.layer or state.here.layer)
    if layer is None:
        return replace(state, message=Message(f"no layer is called “{action.layer}”", False))
    if not 0 <= action.unit < layer.units:
        text = (
            f"{layer.name} has no unit {action.unit}: "
            f"a valid index is between 0 and {layer.units - 1}"
        )
        return replace(state, message=Message(text, False))
    place = replace(state.here, view="unit", layer=layer.name, unit=action.unit)
    return _put(state, place)


def _go_layer(state: State, action: act.GoLayer, catalog: Catalog) -> State:
    layer = catalog.layer(action.layer)
    if layer is None:
        return replace(state, message=Message(f"no layer is called “{action.layer}”", False))
    unit = state.last_units.get(layer.name, 0)
    return _moved(state, layer.name, min(unit, layer.units - 1))


def _step_unit(
    state: State, action: act.StepUnit, catalog: Catalog, order: NDArray[np.int64] | None
) -> State:
    here = state.here
    if here.view == "image" and catalog.images[state.active]:
        image = (here.image + action.by) % catalog.images[state.active]
        return _put(state, replace(here, image=image))
    if here.view == "category" and catalog.classes[state.active]:
        category = (here.category + action.by) % len(catalog.classes[state.active])
        return _put(state, replace(here, category=category))
    layer = catalog.layer(here.layer)
    if layer is None or layer.units < 1:
        return state
    if order is None or len(order) != layer.units:
        return _moved(state, layer.name, (state.here.unit + action.by) % layer.units)
    found = np.flatnonzero(order == state.here.unit)
    row = int(found[0]) if len(found) else 0
    return _moved(state, layer.name, int(order[(row + action.by) % layer.units]))


def _step_layer(state: State, action: act.StepLayer, catalog: Catalog) -> State:
    if not catalog.layers:
        return state
    place = (catalog.position(state.here.layer) + action.by) % len(catalog.layers)
    return _go_layer(state, act.GoLayer(catalog.layers[place].name), catalog)


def _submit(state: State, action: act.Submit, catalog: Catalog) -> State:
    state = replace(state, typed="")
    here, text = state.here, action.text.strip()
    if text.isascii() and text.isdigit() and here.view == "image":
        return _open_image(state, act.OpenImage(state.active, int(text)), catalog)
    if text.isascii() and text.isdigit() and here.view == "category":
        return _open_category(state, act.OpenCategory(state.active, int(text)), catalog)
    target = find_target(text, here.layer, catalog)
    if isinstance(target, str):
        category = find_category(text, state.active, catalog)
        if category is not None:
            return _open_category(state, act.OpenCategory(state.active, category), catalog)
        return replace(state, message=Message(target, False))
    if target.unit is None:
        return _go_layer(state, act.GoLayer(target.layer), catalog)
    return _go(state, act.Go(target.unit, target.layer), catalog)


def _back(state: State, action: act.Back, catalog: Catalog) -> State:
    if not state.past:
        return replace(state, message=Message("nothing to go back to"))
    return replace(
        state,
        places=state.past[-1],
        past=state.past[:-1],
        future=(state.places, *state.future),
    )


def _forward(state: State, action: act.Forward, catalog: Catalog) -> State:
    if not state.future:
        return replace(state, message=Message("nothing to go forward to"))
    return replace(
        state,
        places=state.future[0],
        past=(*state.past, state.places),
        future=state.future[1:],
    )


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
    return replace(_submit(state, act.Submit(state.typed), catalog), typed="")


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
    act.Go: _go,
    act.GoLayer: _go_layer,
    act.StepUnit: lambda state, action, catalog: _step_unit(state, action, catalog, None),
    act.SetView: _set_view,
    act.OpenImage: _open_image,
    act.OpenCategory: _open_category,
    act.OpenUnit: _open_unit,
    act.StepLayer: _step_layer,
    act.Submit: _submit,
    act.Back: _back,
    act.Forward: _forward,
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
