"""`show`: the window for some recordings, or a picture of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from inspector.viewer.dpg.display import check_display, check_library
from inspector.viewer.errors import ViewerError
from inspector.viewer.model import actions as act
from inspector.viewer.model.goto import find_category, find_target
from inspector.viewer.model.reducer import reduce, start
from inspector.viewer.model.sources import Source, catalog_of, open_sources
from inspector.viewer.model.state import State


def show(
    paths: Sequence[str | Path],
    *,
    unit: str | None = None,
    image: str | None = None,
    category: str | None = None,
    lead: str | None = None,
    normalizer: str | None = None,
    screenshot: str | Path | None = None,
    size: tuple[int, int] = (1600, 1000),
    theme: str = "dark",
    scale: float = 1.0,
    on_problem: Callable[[str], None] | None = None,
) -> None:
    """Show recordings side by side until the window is closed.

    Parameters
    ----------
    paths
        Recording files. One of several that cannot be opened shows its error in its own panel.
    unit, image, category
        Where to begin: `layer:unit`, `recording:number`, a category's name.
    lead, normalizer
        Names of recordings. Without `lead` the first recording leads.
    screenshot
        A PNG to write once everything visible has loaded; then the window closes.
    size
        Of the window in pixels.
    theme
        "dark" or "light".
    scale
        Of everything, 1 = 100 %.
    on_problem
        Called before the window opens with one line per file that cannot be opened.

    Raises
    ------
    InspectorError
        When there are files and none of them can be opened: what is wrong with the first.
    NoDisplayError, GraphicsLibraryError
        Where no window can be opened.
    ViewerError
        For a unit or a name that does not exist, and for a picture that cannot be written there.
    """
    picture = None if screenshot is None else checked_picture(screenshot)
    check_display()
    check_library()
    sources = open_sources(paths)
    try:
        _check_opened(sources, on_problem)
        state = first_state(
            sources,
            unit=unit,
            image=image,
            category=category,
            lead=lead,
            normalizer=normalizer,
            theme=theme,
            scale=scale,
        )
        _run(sources, state, size, picture)
    finally:
        for source in sources:
            source.close()


def checked_picture(path: str | Path) -> Path:
    """A path to which a PNG can be written.

    Raises
    ------
    ViewerError
        For another ending, a folder, or a folder that is missing or closed to writing.
    """
    path = Path(path)
    if path.is_dir():
        raise ViewerError(f"{path} is a folder: give a name for the picture that ends in .png")
    if path.suffix != ".png":
        raise ViewerError(f"{path}: pictures are written as PNG; give a name that ends in .png")
    if not path.parent.is_dir():
        raise ViewerError(f"{path}: the folder {path.parent} does not exist")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ViewerError(f"{path}: no permission to write there; choose another folder")
    return path


def _check_opened(sources: Sequence[Source], on_problem: Callable[[str], None] | None) -> None:
    failures = [source.failure for source in sources if source.failure is not None]
    none_left = bool(failures) and len(failures) == len(sources)
    if on_problem is not None:
        # The first of nothing but failures is raised, and so reported, by itself.
        for failure in failures[none_left:]:
            on_problem(str(failure))
    if none_left:
        raise failures[0]


def first_state(
    sources: Sequence[Source],
    *,
    unit: str | None = None,
    image: str | None = None,
    category: str | None = None,
    lead: str | None = None,
    normalizer: str | None = None,
    theme: str = "dark",
    scale: float = 1.0,
) -> State:
    """The state that the options of `show` ask for."""
    if theme not in ("dark", "light"):
        raise ViewerError(f"the theme is dark or light, not {theme!r}")
    if not 0.5 <= scale <= 4:
        raise ViewerError(f"the scale must be between 0.5 and 4, not {scale:g}")
    catalog = catalog_of(sources)
    first = next((n for n, source in enumerate(sources) if source.recording is not None), 0)
    state = start(
        catalog,
        lead=_number(sources, lead, "Lead") if lead else first if sources else None,
        normalizer=_number(sources, normalizer, "Normalizer") if normalizer else None,
        theme=theme,
        scale=scale,
    )
    wanted: list[tuple[str, act.Action]] = []
    if unit is not None:
        target = find_target(unit, state.here.layer, catalog)
        if isinstance(target, str):
            raise ViewerError(f"--unit {unit}: {target}")
        wanted.append((f"--unit {unit}", act.Go(target.unit or 0, target.layer)))
    if image is not None:
        name, _, number = image.rpartition(":")
        if not (name and number.isascii() and number.isdigit()):
            raise ViewerError(f"--image {image}: give NAME:NUMBER, such as {_example(sources)}:12")
        recording = _number(sources, name, "shown")
        wanted.append((f"--image {image}", act.OpenImage(recording, int(number))))
    if category is not None:
        found = find_category(category, state.active, catalog)
        if found is None:
            raise ViewerError(f"--category {category}: no category of the Lead is called that")
        wanted.append((f"--category {category}", act.OpenCategory(state.active, found)))
    for option, action in wanted:
        state = reduce(state, action, catalog)
        if state.message is not None and not state.message.good:
            raise ViewerError(f"{option}: {state.message.text}")
    return replace(state, past=(), future=(), message=None)


def _example(sources: Sequence[Source]) -> str:
    return sources[0].name if sources else "NAME"


def _number(sources: Sequence[Source], name: str, role: str) -> int:
    for number, source in enumerate(sources):
        if name in (source.name, source.path.name, source.path.stem):
            return number
    known = ", ".join(source.name for source in sources)
    raise ViewerError(f"no recording is called {name!r} to be {role}; there is {known}")


def _run(
    sources: Sequence[Source], state: State, size: tuple[int, int], screenshot: Path | None
) -> None:
    import dearpygui.dearpygui as dpg

    from inspector.viewer.dpg.app import App
    from inspector.viewer.dpg.fonts import Fonts

    dpg.create_context()
    try:
        dpg.configure_app(manual_callback_management=True)
        dpg.create_viewport(
            title="Inspector", width=size[0], height=size[1],
            x_pos=0 if screenshot else 60, y_pos=0 if screenshot else 40,
            min_width=900, min_height=600, vsync=screenshot is None,
        )  # fmt: skip
        dpg.setup_dearpygui()
        app = App(sources, state, Fonts(), hover=screenshot is None)
        try:
            dpg.show_viewport()
            if screenshot is None:
                app.run()
            else:
                app.settle()
                app.save(screenshot)
        finally:
            app.close()
    finally:
        dpg.destroy_context()
    if screenshot is not None and not screenshot.is_file():
        raise ViewerError(f"{screenshot}: the picture could not be written")
