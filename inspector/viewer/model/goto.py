"""What the box for going anywhere understands: `7`, `#7`, `linear1`, `linear1:7`."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.viewer.model.actions import Action, GoLayer, OpenCategory
from inspector.viewer.model.catalog import Catalog


@dataclass(frozen=True)
class Target:
    """A place to go to; `unit` None means the unit last looked at in that layer."""

    layer: str
    unit: int | None


def find_target(text: str, here: str, catalog: Catalog) -> Target | str:
    """Read an address; a str is the reason why it leads nowhere.

    Parameters
    ----------
    text
        What was typed. The last colon parts layer and unit; layers are found by exact name, then
        by a beginning, then by a part that only one of them has, whatever the case.
    here
        The layer shown now, meant when only a number is given.
    """
    text = text.strip()
    if not text:
        return "type a unit (7), a layer (conv1) or both (conv1:7)"
    if catalog.layer(text):
        return Target(text, None)
    head, colon, tail = text.rpartition(":")
    number = (tail if colon else text).strip().removeprefix("#")
    if number.isascii() and number.lstrip("-").isdigit():
        layer = _layer(head.strip(), catalog) if colon and head.strip() else here
        if layer is None:
            return f"no layer is called “{head.strip()}”"
        return _checked(layer, int(number), catalog)
    if colon and catalog.layer(head):
        return f"“{tail}” is no unit number"
    layer = _layer(text, catalog)
    if layer is None:
        return f"no layer is called “{text}”; a unit is a number, or layer:number"
    return Target(layer, None)


def _checked(layer: str, unit: int, catalog: Catalog) -> Target | str:
    found = catalog.layer(layer)
    if found is None:
        return "there is no layer to choose a unit of"
    if not 0 <= unit < found.units:
        return f"{layer} has no unit {unit}: a valid index is between 0 and {found.units - 1}"
    return Target(layer, unit)


def _layer(text: str, catalog: Catalog) -> str | None:
    wanted = text.casefold()
    names = [layer.name for layer in catalog.layers]
    for test in (str.__eq__, str.startswith, str.__contains__):
        found = [name for name in names if test(name.casefold(), wanted)]
        if len(found) == 1:
            return found[0]
        if found and test is not str.__contains__:
            return found[0]
    return None


def find_category(text: str, recording: int, catalog: Catalog) -> int | None:
    """The category of that name in a recording, whatever the case."""
    if not 0 <= recording < len(catalog.classes):
        return None
    wanted = text.strip().casefold()
    names = [name.casefold() for name in catalog.classes[recording]]
    return names.index(wanted) if wanted and wanted in names else None


def suggestions(
    text: str, recording: int, catalog: Catalog, limit: int = 9
) -> list[tuple[str, Action]]:
    """Layers and categories whose name holds what was typed so far, and how to go there."""
    wanted = text.strip().partition(":")[0].casefold()
    if not wanted or wanted.lstrip("#").isdigit():
        return []
    found: list[tuple[str, Action]] = []
    for layer in catalog.layers:
        if wanted in layer.name.casefold():
            found.append((layer.name, GoLayer(layer.name)))
    names = catalog.classes[recording] if 0 <= recording < len(catalog.classes) else ()
    found += [
        (name, OpenCategory(recording, category))
        for category, name in enumerate(names)
        if wanted in name.casefold()
    ]
    return found[:limit]
