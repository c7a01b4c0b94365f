"""Actions that go somewhere: to a unit, layer, image or category, back and forward."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from inspector.viewer.model import actions as act
from inspector.viewer.model.catalog import Catalog
from inspector.viewer.model.goto import find_category, find_target, suggestions
from inspector.viewer.model.state import VIEWS, Message, Place, State

HISTORY = 500
"""Places kept to go back to: more than anyone walks, small enough to forget about."""


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


def unled(quantity: str) -> str:
    """The quantity to list where there is no Lead to compare with."""
    return "maximum" if quantity in ("spurious", "novelty") else quantity


def _alone(state: State, recording: int, catalog: Catalog) -> State:
    """Without a Lead when `recording` is a follower, and with it in focus."""
    if state.lead is not None and state.lead != recording:
        name = catalog.names[recording]
        return replace(
            state,
            places=(state.here,) * len(state.places),
            lead=None,
            focus=recording,
            quantity=unled(state.quantity),
            message=Message(f"{name} goes its own way: there is no Lead now (L sets one)"),
        )
    return replace(state, focus=recording)


def set_view(state: State, action: act.SetView, catalog: Catalog) -> State:
    """Look at units, images or categories."""
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


def open_image(state: State, action: act.OpenImage, catalog: Catalog) -> State:
    """Show an image."""
    if not 0 <= action.recording < len(state.places):
        return state
    images = catalog.images[action.recording]
    if not 0 <= action.image < images:
        text = f"there is no image {action.image}: a valid index is between 0 and {images - 1}"
        return replace(state, message=Message(text, False))
    state = _alone(state, action.recording, catalog)
    return _put(state, replace(state.here, view="image", image=action.image))


def open_category(state: State, action: act.OpenCategory, catalog: Catalog) -> State:
    """Show a category."""
    if not 0 <= action.recording < len(state.places):
        return state
    categories = len(catalog.classes[action.recording])
    if not 0 <= action.category < categories:
        text = (
            f"there is no category {action.category}: "
            f"a valid index is between 0 and {categories - 1}"
        )
        return replace(state, message=Message(text, False))
    state = _alone(state, action.recording, catalog)
    return _put(state, replace(state.here, view="category", category=action.category))


def open_unit(state: State, action: act.OpenUnit, catalog: Catalog) -> State:
    """Show a unit whose name was clicked."""
    if not 0 <= action.recording < len(state.places):
        return state
    if state.lead is not None:
        state = replace(state, lead=action.recording)
    return go(replace(state, focus=action.recording), act.Go(action.unit), catalog)


def go(state: State, action: act.Go, catalog: Catalog) -> State:
    """Show a unit."""
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


def go_layer(state: State, action: act.GoLayer, catalog: Catalog) -> State:
    """Show a layer."""
    layer = catalog.layer(action.layer)
    if layer is None:
        return replace(state, message=Message(f"no layer is called “{action.layer}”", False))
    unit = state.last_units.get(layer.name, 0)
    return _moved(state, layer.name, min(unit, layer.units - 1))


def step_unit(
    state: State, action: act.StepUnit, catalog: Catalog, order: NDArray[np.int64] | None
) -> State:
    """Step along the units, images or categories."""
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


def step_layer(state: State, action: act.StepLayer, catalog: Catalog) -> State:
    """Step along the layers."""
    if not catalog.layers:
        return state
    place = (catalog.position(state.here.layer) + action.by) % len(catalog.layers)
    return go_layer(state, act.GoLayer(catalog.layers[place].name), catalog)


def submit(state: State, action: act.Submit, catalog: Catalog) -> State:
    """Go to what was typed."""
    state = replace(state, typed="")
    here, text = state.here, action.text.strip()
    if text.isascii() and text.isdigit() and here.view == "image":
        return open_image(state, act.OpenImage(state.active, int(text)), catalog)
    if text.isascii() and text.isdigit() and here.view == "category":
        return open_category(state, act.OpenCategory(state.active, int(text)), catalog)
    target = find_target(text, here.layer, catalog)
    if isinstance(target, str):
        category = find_category(text, state.active, catalog)
        if category is not None:
            return open_category(state, act.OpenCategory(state.active, category), catalog)
        # What the list under the box offers first is what Enter means.
        offered = suggestions(text, state.active, catalog)
        if offered and isinstance(offered[0][1], act.OpenCategory):
            return open_category(state, offered[0][1], catalog)
        return replace(state, message=Message(target, False))
    if target.unit is None:
        return go_layer(state, act.GoLayer(target.layer), catalog)
    return go(state, act.Go(target.unit, target.layer), catalog)


def back(state: State, action: act.Back, catalog: Catalog) -> State:
    """Go back."""
    if not state.past:
        return replace(state, message=Message("nothing to go back to"))
    return replace(
        state,
        places=state.past[-1],
        past=state.past[:-1],
        future=(state.places, *state.future),
    )


def forward(state: State, action: act.Forward, catalog: Catalog) -> State:
    """Go forward."""
    if not state.future:
        return replace(state, message=Message("nothing to go forward to"))
    return replace(
        state,
        places=state.future[0],
        past=(*state.past, state.places),
        future=state.future[1:],
    )
