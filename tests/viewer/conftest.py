"""A real window for the tests: one context per process, on Xvfb where there is no display."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from viewer_desk import Desk
from viewer_recordings import LOGITS, write_recording

from inspector.recording import RecordedLayer
from inspector.viewer.dpg.display import check_display
from inspector.viewer.dpg.show import first_state
from inspector.viewer.errors import ViewerError
from inspector.viewer.model.sources import Source, open_sources

SIZE = (1000, 640)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """An X server with GLX: Xvfb, so that tests neither need nor disturb a person's screen."""
    if shutil.which("Xvfb") is None or shutil.which("xdotool") is None:
        pytest.skip("Xvfb and xdotool are needed: apt-get install xvfb xdotool libgl1")
    read, write = os.pipe()
    server = subprocess.Popen(
        [
            "Xvfb", "-displayfd", str(write), "-screen", "0", "2560x1440x24",
            "+extension", "GLX", "-noreset", "-nolisten", "tcp",
        ],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    before = os.environ.get("DISPLAY")
    with os.fdopen(read) as pipe:
        os.environ["DISPLAY"] = ":" + pipe.readline().strip()
        try:
            check_display()
            yield os.environ["DISPLAY"]
        except ViewerError as error:
            pytest.skip(str(error))
        finally:
            if before is None:
                os.environ.pop("DISPLAY", None)
            else:
                os.environ["DISPLAY"] = before
            server.terminate()
            server.wait(10)


@pytest.fixture(scope="session")
def context(display: str) -> Iterator[Any]:
    """The one context of this process."""
    import dearpygui.dearpygui as dpg

    from inspector.viewer.dpg.fonts import Fonts

    dpg.create_context()
    dpg.configure_app(manual_callback_management=True)
    dpg.create_viewport(title="tests", width=SIZE[0], height=SIZE[1], x_pos=0, y_pos=0, vsync=False)
    dpg.setup_dearpygui()
    dpg.show_viewport()
    dpg.inspector_fonts = Fonts()  # type: ignore[attr-defined]
    yield dpg
    dpg.destroy_context()


@pytest.fixture
def driver(context: Any) -> Iterator[Callable[..., Any]]:
    """Make a window for recordings: `driver(paths, size=…, **options of show)`."""
    from viewer_window import Driver

    from inspector.viewer.dpg.app import App

    opened: list[Any] = []

    def make(paths: Sequence[Path], *, size: tuple[int, int] = SIZE, **options: Any) -> Driver:
        sources = open_sources(paths)
        context.set_viewport_width(size[0])
        context.set_viewport_height(size[1])
        app = App(sources, first_state(sources, **options), context.inspector_fonts)
        driver = Driver(app)
        opened.append((app, sources))
        driver.until(lambda: app.size == size)
        driver.move(size[0] - 3, size[1] - 3)
        driver.settle()
        return driver

    yield make
    for app, sources in opened:
        app.close()
        for source in sources:
            source.close()
    for item in context.get_all_items():
        if (
            context.does_item_exist(item)
            and context.get_item_info(item)["parent"] is None
            and context.get_item_type(item) != "mvAppItemType::mvFontRegistry"
        ):
            context.delete_item(item)
    context.render_dearpygui_frame()
    context.get_callback_queue()
    for app, _ in opened:
        assert app.errors == []


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings that no test changes."""
    folder = tmp_path_factory.mktemp("recordings")
    write_recording(folder / "sharp.msgpack", "Sharp")
    write_recording(folder / "dull.msgpack", "Dull", seed=5, scale=0.6, tint=(255, 170, 80))
    write_recording(folder / "third.msgpack", "Third", seed=9, scale=1.4, tint=(120, 255, 120))
    wide = RecordedLayer("dense", "relu_1", "vector", 12, (12,))
    extra = RecordedLayer("extra", "relu_2", "vector", 4, (4,))
    write_recording(
        folder / "other.msgpack", "Other net", layers=(wide, extra, LOGITS), model="other_net"
    )
    write_recording(folder / "unfinished.msgpack", "Unfinished", stop_after=2)
    write_recording(folder / "empty.msgpack", "Empty", stop_after=0)
    write_recording(folder / "photos.msgpack", "Photos", side=64, images=64)
    write_recording(
        folder / "foreign.msgpack", "猫の写真", classes=("猫", "犬", "고양이", "Жук", "🐈")
    )
    write_recording(folder / "plain.msgpack", "Plain", labelled=False, classes=())
    (folder / "broken.msgpack").write_bytes(b"this is no recording at all")
    return folder


@pytest.fixture
def desk(folder: Path) -> Iterator[Callable[..., Desk]]:
    """Look at recordings of the folder without a window: `desk("sharp", "dull")`."""
    opened: list[Source] = []

    def make(*names: str) -> Desk:
        opened.extend(open_sources([folder / f"{name}.msgpack" for name in names]))
        return Desk(opened)

    yield make
    for source in opened:
        source.close()


@pytest.fixture
def pair(folder: Path) -> list[Path]:
    """Two good recordings."""
    return [folder / "sharp.msgpack", folder / "dull.msgpack"]
