"""The loop: callbacks to actions, actions to state, state to panels, panels to the screen."""

from __future__ import annotations

import functools
import time
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import dearpygui.dearpygui as dpg
import numpy as np
from numpy.typing import NDArray

from inspector.viewer.dpg.early import EarlyText
from inspector.viewer.dpg.events import Events
from inspector.viewer.dpg.fonts import Fonts
from inspector.viewer.dpg.keys import Keyboard
from inspector.viewer.dpg.screen import Hit, Screen
from inspector.viewer.model import actions as act
from inspector.viewer.model.bindings import action_for
from inspector.viewer.model.drawing import shown
from inspector.viewer.model.numbers import plural
from inspector.viewer.model.reducer import reduce
from inspector.viewer.model.sources import Source, catalog_of
from inspector.viewer.model.state import State
from inspector.viewer.model.thumbnails import tile_from_image
from inspector.viewer.model.views import Views
from inspector.viewer.model.work import Key, Make, Store, Workers

SETTLE = 4
"""Frames drawn after the last event: the toolkit needs up to three to take in a click."""
WHEEL = 90
"""Pixels (at scale 1) that a step of the wheel scrolls."""
FOCUSING = 4
"""Frames that a box takes to get the cursor: keys pressed meanwhile are meant for it."""
TIP_DELAY = 0.35
PICTURE_TIP_DELAY = 0.08
"""Seconds the mouse rests before a tooltip appears; pictures are looked at in passing."""
REFRESH = 1.0
"""Seconds between looks at a file that is still being written."""


class App:
    """The viewer in one window of an existing context.

    Parameters
    ----------
    sources
        The files looked at; the caller closes them.
    state
        Where to begin.
    fonts
        Of the context.
    hover
        Whether the mouse is followed (not in pictures made without a person).
    """

    def __init__(
        self, sources: Sequence[Source], state: State, fonts: Fonts, *, hover: bool = True
    ) -> None:
        self.sources = list(sources)
        self.catalog = catalog_of(self.sources)
        self.state = state
        self.store = Store()
        self.view = Views(self.sources, self.catalog, self.store)
        self.events = Events()
        self.workers = Workers(2, self.events.wake)
        self.screen = Screen(len(self.sources), fonts, self._submitted)
        self.actions: list[act.Action] = []
        self.errors: list[Exception] = []
        self.closing = False
        self._hover = hover
        self._busy = SETTLE
        self._mouse = (-1.0, -1.0)
        self._moved_at = 0.0
        self._refreshed = time.monotonic()
        self._drag: tuple[str, float] | None = None
        self._order: NDArray[np.int64] | None = None
        self._title = ""
        self._searching = state.searching
        self._complete = False
        self._keyboard = Keyboard()
        self._early = EarlyText(self.events.library)
        self._focusing = 0
        self._handlers = self._listen()

    def _listen(self) -> int:
        with dpg.handler_registry() as handlers:
            dpg.add_mouse_click_handler(button=dpg.mvMouseButton_Left, callback=self._clicked)
            dpg.add_mouse_release_handler(button=dpg.mvMouseButton_Left, callback=self._released)
            dpg.add_mouse_wheel_handler(callback=self._wheeled)
            dpg.add_key_press_handler(callback=self._pressed)
        return int(handlers)

    # Callbacks: they only append actions.

    def _clicked(self, sender: int, data: Any) -> None:
        hit = self._hit()
        if hit is None:
            return
        name = hit.zone.name
        if name.startswith("drag.") and hit.zone.scroll is not None:
            self._drag = (hit.zone.scroll, self._mouse[1])
            return
        if hit.zone.action is not None:
            self.actions.append(hit.zone.action)

    def _released(self, sender: int, data: Any) -> None:
        self._drag = None

    def _wheeled(self, sender: int, delta: float) -> None:
        if self._keyboard.held("Ctrl"):
            self.actions.append(act.ZoomPictures(1 if delta > 0 else -1))
            return
        hit = self._hit()
        layout = self.screen.layout
        if hit is None or layout is None:
            return
        step = -delta * WHEEL * self.state.scale
        where = hit.zone.scroll
        sideways = self._keyboard.held("Shift") or where is None
        if sideways and layout.limit > 0 and layout.stage.contains(*self._mouse):
            offset = min(max(0.0, self.state.scroll("cards") + step), layout.limit)
            self.actions.append(act.Scroll("cards", offset))
        elif where is not None and where in self.screen.regions:
            rows = self.screen.regions[where].rows
            self.actions.append(
                act.Scroll(where, rows.clamped(rows.clamped(self.state.scroll(where)) + step))
            )

    def _pressed(self, sender: int, code: Any) -> None:
        code = int(code[0] if isinstance(code, (list, tuple)) else code)
        key = self._keyboard.pressed(code)
        if not key:
            return
        if (self.screen.boxes.typing or self._focusing) and key not in ("Ctrl+K", "Ctrl+Q", "F1"):
            return
        action = action_for(key)
        if isinstance(action, act.FocusSearch):
            self._focusing = FOCUSING
            self._early.hold()
        if action is not None:
            self.actions.append(action)

    def _submitted(self, name: str, text: str) -> None:
        self.actions.append(act.Submit(text))
        dpg.set_value(self.screen.boxes.item(name), "")

    def _hit(self) -> Hit | None:
        return self.screen.hit(*self._mouse)

    # One frame.

    def frame(self) -> None:
        """Take in what happened, bring the panels up to date and draw once."""
        # The position first: clicks are told a frame late, and it is where the last one was made.
        self._follow_mouse()
        self._dispatch()
        taken = self.workers.take()
        for key, result in taken.items():
            if key[0] == "tile":
                self.screen.textures.put(key, result)
            else:
                self.store.put(key, result)
        self._act()
        if taken:
            self._busy = SETTLE
        self._watch_files()
        self._update()
        dpg.render_dearpygui_frame()

    def _dispatch(self) -> None:
        for job in dpg.get_callback_queue() or ():
            self._busy = SETTLE
            try:
                dpg.run_callbacks([job])
            except Exception as error:
                self.errors.append(error)
                self.actions.append(act.Say(f"{type(error).__name__}: {error}", good=False))
        self._keyboard.end()
        ready = self.screen.boxes.typing == "search"
        self._focusing = 0 if ready else max(0, self._focusing - 1)
        self._early.frame(ready)
        if not dpg.is_mouse_button_down(dpg.mvMouseButton_Left):
            self._drag = None

    def _follow_mouse(self) -> None:
        if not self._hover:
            return
        x, y = dpg.get_mouse_pos(local=False)
        if (x, y) != self._mouse:
            self._mouse = (float(x), float(y))
            self._moved_at = time.monotonic()
            self._busy = max(self._busy, 2)
        if self._drag is not None:
            self._dragged()

    def _dragged(self) -> None:
        assert self._drag is not None
        name, last = self._drag
        found = self.screen.regions.get(name)
        if found is None or found.rows.limit <= 0:
            return
        handle = found.rows.thumb(found.rows.clamped(self.state.scroll(name)))
        assert handle is not None
        way = max(1.0, found.rect.h - handle[1])
        moved = (self._mouse[1] - last) / way * found.rows.limit
        self._drag = (name, self._mouse[1])
        if moved:
            offset = found.rows.clamped(found.rows.clamped(self.state.scroll(name)) + moved)
            self.actions.append(act.Scroll(name, offset))

    def _act(self) -> None:
        while self.actions:
            action = self.actions.pop(0)
            self._busy = SETTLE
            if isinstance(action, act.Quit):
                self.closing = True
            elif isinstance(action, act.CopyAddress):
                address = f"{self.state.here.layer}:{self.state.here.unit}"
                dpg.set_clipboard_text(address)
                self.actions.append(act.Say(f"copied {address}"))
            elif isinstance(action, act.SaveView):
                self._save_view()
            self.state = reduce(self.state, action, self.catalog, self._order)
        if self.state.searching != self._searching:
            self._searching = self.state.searching
            dpg.focus_item(self.screen.boxes.item("search"))

    def _save_view(self) -> None:
        here = self.state.here
        safe = "".join(c if c.isalnum() else "_" for c in here.layer)
        path = Path.cwd() / f"inspector_{safe}_{here.unit}.png"
        number = 1
        while path.exists():
            number += 1
            path = path.with_name(f"inspector_{safe}_{here.unit}_{number}.png")
        dpg.output_frame_buffer(str(path))
        self.actions.append(act.Say(f"saved {path}"))

    def _watch_files(self) -> None:
        now = time.monotonic()
        if now - self._refreshed < REFRESH:
            return
        self._refreshed = now
        for source in self.sources:
            if source.refresh():
                self._busy = SETTLE
                self.catalog = catalog_of(self.sources)
                self.view.renew(self.catalog)

    @property
    def size(self) -> tuple[int, int]:
        """Of the window's inside, in pixels."""
        return int(dpg.get_viewport_client_width()), int(dpg.get_viewport_client_height())

    def _update(self) -> None:
        self.store.begin()
        cards = self.view.cards(self.state)
        units = self.view.units(self.state)
        self._order = units.order
        size = self.size
        hit = self._hit() if self._hover and self.screen.layout is not None else None
        hot = hit.zone.name if hit is not None else ""
        loading = self.view.loading
        self.state = self.screen.draw(
            self.state, self.catalog, cards, units, self._summary(), loading, size, hot
        )
        self._tooltip(hit, size)
        textures = self.screen.textures
        shown = self.screen.shown_pictures()
        if textures.upload(shown.__contains__):
            self._busy = max(self._busy, 2)
        wishes = self._wishes(self.screen.sync_pictures())
        self.workers.wish(wishes)
        self._complete = not (wishes or textures.waiting or loading)
        if self._complete:
            # Not at every step: the title goes through the window manager, which takes its time.
            self._entitle()

    def _tooltip(self, hit: Hit | None, size: tuple[int, int]) -> None:
        style = self.screen.style(self.state)
        zone = hit.zone if hit is not None else None
        if zone is not None and zone.tip is not None:
            delay = TIP_DELAY if zone.tip.picture is None else PICTURE_TIP_DELAY
            if time.monotonic() - self._moved_at < delay or self._drag is not None:
                self._busy = max(self._busy, 1)
                if zone.tip.picture is None:
                    zone = None
        self.screen.tooltip(zone, self._mouse, size, style)

    def _wishes(self, missing: list[Hashable]) -> dict[Key, Make]:
        """What to make next: numbers on screen, then pictures, then what may be wanted soon."""
        wishes = dict(self.store.wishes)
        ahead = {key: make for key, make in wishes.items() if self.view.is_ahead(key, self.state)}
        for key in ahead:
            del wishes[key]
        for picture in missing:
            assert isinstance(picture, tuple)
            _, recording, image, cell, radius = picture
            wishes[picture] = functools.partial(self._tile, recording, image, cell, radius)
        return wishes | ahead

    def _tile(self, recording: int, image: int, cell: int, radius: float) -> NDArray[np.float32]:
        found = self.sources[recording].recording
        assert found is not None
        return tile_from_image(found.thumbnail(image), cell, radius)

    def _summary(self) -> str:
        known = [source.recording for source in self.sources if source.recording is not None]
        images = sum(recording.images for recording in known)
        units = sum(layer.units for layer in self.catalog.layers)
        return (
            f"{plural(len(self.sources), 'recording')}, {plural(images, 'image')}, "
            f"{plural(units, 'unit')} in {plural(len(self.catalog.layers), 'layer')}"
        )

    def _entitle(self) -> None:
        here = self.state.here
        names = ", ".join(source.name for source in self.sources)
        title = f"{here.layer}:{here.unit} – {names} – Inspector" if here.layer else "Inspector"
        if title != self._title:
            self._title = title
            dpg.set_viewport_title(shown(title))

    @property
    def settled(self) -> bool:
        """Whether everything visible has been read and drawn."""
        return self._complete and self.workers.idle and not self.actions

    # Running.

    def run(self) -> None:
        """Draw until the window is closed, sleeping while nothing happens."""
        while dpg.is_dearpygui_running() and not self.closing:
            if self._busy <= 0:
                timeout = self._patience()
                self._busy = SETTLE if self.events.wait(timeout) else 1
            self._busy -= 1
            self.frame()

    def _patience(self) -> float:
        if self.screen.boxes.typing:
            return 0.25
        if any(s.recording is not None and not s.recording.finished for s in self.sources):
            return REFRESH
        return 2.0

    def settle(self, frames: int = 3, seconds: float = 600.0) -> bool:
        """Draw until everything visible is there for some frames; False when time ran out."""
        end = time.monotonic() + seconds
        still = 0
        while still < frames:
            if time.monotonic() > end:
                return False
            self.frame()
            still = still + 1 if self.settled else 0
            if not self.settled:
                self.events.wait(0.05)
        return True

    def save(self, path: Path) -> None:
        """Write what the window shows as PNG."""
        dpg.output_frame_buffer(str(path))
        for _ in range(4):
            self.frame()

    def close(self) -> None:
        """Stop the threads and delete what was made in the context."""
        self._early.close()
        self.events.close()
        self.workers.close()
        self.screen.close()
