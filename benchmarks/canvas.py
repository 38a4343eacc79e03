"""How fast the canvas answers the pen: from a mouse event to the end of the paint event, on images of many sizes.

    python benchmarks/canvas.py [--huge] [--busy] [--dabs 200] [--tools] [--seeing]

The real widget is driven with real mouse events. "CPU p99" is the processor time that the window's thread spent on a
dab: what p99 comes to on a machine with nothing else to do. Last line: one JSON object. ``--busy`` measures while
the real pretraining worker runs beside it, started as the window starts it. ``--tools`` measures what else one can do
with the pointer: wand, superpixels, live-wire, box; from the event to the repaint that shows its answer. ``--seeing``
measures how soon another window of the contrast, or another part of the image, is seen.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import resource
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.images.look import default_look, shades_of, windows_of
from sslstudio.images.picture import Picture
from sslstudio.images.sample import write_sample
from sslstudio.project.classes import LabelClass
from sslstudio.project.label_map import LabelMap
from sslstudio.project.project import Project
from sslstudio.runs.events import Metric
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.prepare import default_pretrain_recipe, pretrain_request
from sslstudio.runs.start import start
from sslstudio.ui.canvas import Canvas

WIDTH, HEIGHT = 1600, 1000
HUGE = 400  # megapixels; larger ones are files with tiles, and read by parts


@dataclass(frozen=True)
class Row:
    """Times in milliseconds."""

    megapixels: int
    brush: int
    zoom: str
    p50: float
    p99: float
    worst: float
    cpu_p99: float
    next_image: float
    undo: float
    peak_mb: int


@dataclass(frozen=True)
class Reaction:
    """Processor time in milliseconds from an event to the repaint it causes: the middle and the worst of some."""

    megapixels: int
    zoom: str
    what: str
    p50: float
    worst: float


class Timed(Canvas):
    """The canvas, noting when a paint event ended."""

    done = Signal()
    painted = 0.0

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        super().paintEvent(event)
        self.painted = time.perf_counter()
        self.done.emit()


@contextlib.contextmanager
def pretraining(wanted: bool) -> Iterator[None]:
    """The real worker beside it, started as the window starts it, from its first steps on."""
    if not wanted:
        yield
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["SSLSTUDIO_STATE"] = folder
        sample = write_sample(Path(folder) / "sample", 120)
        with Project.create(Path(folder) / "p", sample.images, ("background", "cell")) as project:
            project.check_files()
            recipe, _ = default_pretrain_recipe(project, 30, "microscopy")
            run = RunFolder.create(project.path, pretrain_request(project, recipe), "beside")
        worker = start(run)
        while not any(isinstance(event, Metric) for event in run.events()):
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise SystemExit(f"the worker ended with {worker.wait(1)}: {run.log.read_text()}")
        try:
            yield
        finally:
            run.wish("stop")
            worker.wait()


def until_painted(canvas: Timed, action: Callable[[], None]) -> float:
    """Milliseconds from before ``action`` to the end of the repaint that it causes."""
    return processor_and_clock(canvas, action)[1]


def processor_and_clock(canvas: Timed, action: Callable[[], None]) -> tuple[float, float]:
    """Milliseconds of processor time, and by the clock, until the repaint that ``action`` causes has ended."""
    canvas.painted = 0.0
    processor = time.thread_time()
    start = time.perf_counter()
    action()
    QApplication.sendPostedEvents()
    if not canvas.painted:  # some platforms paint at the window's next turn
        loop = QEventLoop()
        canvas.done.connect(loop.quit)
        QTimer.singleShot(2000, loop.quit)
        loop.exec()
        canvas.done.disconnect(loop.quit)
    return (time.thread_time() - processor) * 1000, (canvas.painted - start) * 1000


def scribble(canvas: Timed, dabs: int) -> list[tuple[float, float]]:
    """One long looping stroke; processor and clock time of each dab."""
    places = [
        QPoint(
            int(WIDTH / 2 + WIDTH * 0.4 * math.sin(0.11 * n)),
            int(HEIGHT / 2 + HEIGHT * 0.4 * math.sin(0.17 * n + 1)),
        )
        for n in range(dabs)
    ]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=places[0])
    times = [processor_and_clock(canvas, lambda place=place: QTest.mouseMove(canvas, place)) for place in places[1:]]
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=places[-1])
    return times


def measure(canvas: Timed, megapixels: int, dabs: int) -> Iterator[Row]:
    """All brushes at three zooms on one image."""
    side = round(math.sqrt(megapixels * 1e6))
    tile = np.random.default_rng(0).integers(0, 255, (512, 512, 3), np.uint8)
    image = np.tile(tile, (side // 512 + 1, side // 512 + 1, 1))[:side, :side].copy()
    canvas.show_image(None, None)
    labels = LabelMap(np.full((side, side), 255, np.uint8))
    next_image = until_painted(canvas, lambda: canvas.show_image(image, labels))
    yield from brushes(canvas, megapixels, dabs, next_image)


def brushes(
    canvas: Timed, megapixels: int, dabs: int, next_image: float, settle: Callable[[], None] = lambda: None
) -> Iterator[Row]:
    """All brushes at three zooms on the image that is shown; ``settle`` waits until all of it is in sight."""
    strokes: list = []
    canvas.stroke_finished.connect(lambda before, after: strokes.append(before))
    for zoom in ("fit", "1", "8"):
        canvas.zoom_fit()
        if zoom != "fit":
            middle = WIDTH / 2, HEIGHT / 2
            canvas.set_view(canvas.viewport.zoomed(float(zoom), *middle))
        until_painted(canvas, canvas.update)
        settle()
        for index, brush in enumerate((5, 50, 500)):
            canvas.set_brush(brush)
            canvas.set_current_class(index % 2 + 1)
            processor, times = zip(*scribble(canvas, dabs), strict=True)
            undo = until_painted(canvas, lambda: canvas.apply_patch(strokes[-1]))
            (p50, p99), cpu_p99 = np.percentile(times, (50, 99)), np.percentile(processor, 99)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            yield Row(megapixels, brush, zoom, p50, p99, max(times), cpu_p99, next_image, undo, peak)
    canvas.stroke_finished.disconnect()


def write_huge(file: Path, side: int) -> None:
    """A tiled, compressed TIFF of (side, side, 3) uint8; its tiles are compressed once, and each is written often."""
    import tifffile

    texture, tile, down = textured(2048), 512, -(-side // 512)
    known: dict[tuple[int, int], bytes] = {}

    def tiles() -> Iterator[np.ndarray | bytes]:
        for at in range(down * down):
            key = at // down % 4, at % down % 4
            if key not in known:
                part = texture[key[0] * tile :, key[1] * tile :][:tile, :tile]
                known[key] = zlib.compress(np.ascontiguousarray(part // 8 * 8).tobytes(), 6)
            yield known[key]

    tifffile.imwrite(
        file,
        tiles(),
        shape=(side, side, 3),
        dtype=np.uint8,
        tile=(tile, tile),
        compression="zlib",
        photometric="rgb",
        bigtiff=True,
    )


def huge_rows(canvas: Timed, megapixels: int, dabs: int) -> Iterator[Row]:
    """The brush on an image that is read by parts, once its halvings are made: as it is in the window."""
    from sslstudio.images.picture import read_picture

    side = round(math.sqrt(megapixels * 1e6))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "huge.tif"
        write_huge(file, side)
        canvas.show_image(None, None)
        start = time.perf_counter()
        picture = read_picture(file, Path(folder) / "cache", "huge.tif")
        labels = LabelMap.empty(side, side)
        until_painted(canvas, lambda: canvas.show_picture(picture, labels))
        first = (time.perf_counter() - start) * 1000
        image = picture.image  # type: ignore[attr-defined]
        picture.shown()
        waited_for(lambda: image.whole)
        made = time.perf_counter() - start
        print(f"     first picture after {first:.0f} ms, halvings made after {made:.0f} s")
        yield from brushes(canvas, megapixels, dabs, first, lambda: waited_for(lambda: image.cache.idle))
        canvas.show_image(None, None)


def waited_for(done: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    loop, timer = QEventLoop(), QTimer(interval=20)
    timer.timeout.connect(lambda: loop.quit() if done() else None)
    timer.start()
    loop.exec()


def textured(side: int) -> np.ndarray:
    """An image (side, side, 3) uint8 of soft blobs with a little noise, so that tools find something."""
    rng = np.random.default_rng(0)
    blobs = cv2.GaussianBlur(np.tile(rng.normal(size=(512, 512, 3)), (3, 3, 1)), (0, 0), 12)[512:1024, 512:1024]
    tile = np.clip(128 + 55 * blobs / blobs.std() + rng.normal(0, 4, blobs.shape), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.tile(tile, (side // 512 + 1, side // 512 + 1, 1))[:side, :side])


def reactions(canvas: Timed, megapixels: int, places: int = 12) -> Iterator[Reaction]:
    """How soon each tool answers, at three zooms, at places spread over the window."""
    side = round(math.sqrt(megapixels * 1e6))
    canvas.show_image(None, None)
    canvas.show_image(textured(side), LabelMap(np.full((side, side), 255, np.uint8)))
    canvas.set_current_class(1)
    around = [QPoint(300 + 83 * n, 120 + 61 * (n * 5 % 12)) for n in range(places)]
    settled(canvas)
    for zoom in ("fit", "1", "8"):
        canvas.zoom_fit()
        if zoom != "fit":
            canvas.set_view(canvas.viewport.zoomed(float(zoom), WIDTH / 2, HEIGHT / 2))
        until_painted(canvas, canvas.update)
        for what, times in (*wand(canvas, around), *hovering(canvas, around), *box(canvas, around)):
            yield Reaction(megapixels, zoom, what, float(np.median(times)), max(times))


def spent(canvas: Timed, action: Callable[[], None]) -> float:
    """Processor milliseconds until the repaint that ``action`` causes."""
    return processor_and_clock(canvas, action)[0]


def wand(canvas: Timed, around: list[QPoint]) -> Iterator[tuple[str, list[float]]]:
    """Press, drag for more, let go: one piece, then all that is alike."""
    left = Qt.MouseButton.LeftButton
    for contiguous, name in ((True, "one piece"), (False, "all that is alike")):
        canvas.set_tool("wand")
        canvas.set_options(replace(canvas.options, contiguous=contiguous, tolerance=24))
        press, drag, release, taken = [], [], [], []
        for at in around:
            press.append(spent(canvas, lambda at=at: QTest.mousePress(canvas, left, pos=at)))
            drag += [spent(canvas, lambda x=x, at=at: QTest.mouseMove(canvas, at + QPoint(x, 0))) for x in (9, 18, 27)]
            release.append(spent(canvas, lambda at=at: QTest.mouseRelease(canvas, left, pos=at + QPoint(27, 0))))
            taken.append(settled(canvas))
            canvas.pen.labels[:] = 255  # type: ignore[index]
            canvas.set_options(replace(canvas.options, tolerance=24))
        yield f"wand, {name}: press", press
        yield f"wand, {name}: drag", drag
        yield f"wand, {name}: let go", release
        yield f"wand, {name}: taken once found", taken


def settled(canvas: Timed) -> float:
    """What it costs the window to take what was looked for beside it, once that is found."""
    for search in canvas.searches.running:
        search.look()
    start = time.thread_time()
    canvas.finish_stroke()
    return (time.thread_time() - start) * 1000


def hovering(canvas: Timed, around: list[QPoint]) -> Iterator[tuple[str, list[float]]]:
    """The patch under the pointer; the way of the wire to the pointer, and a click of it."""
    canvas.set_tool("superpixels")
    yield "superpixel under the pointer", [spent(canvas, lambda at=at: QTest.mouseMove(canvas, at)) for at in around]
    canvas.set_tool("livewire")
    click, follow = [], []
    for at in around:
        click.append(spent(canvas, lambda at=at: QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=at)))
        ways = [QPoint(40, 30), QPoint(80, -20), QPoint(-60, 50)]
        follow += [spent(canvas, lambda way=way, at=at: QTest.mouseMove(canvas, at + way)) for way in ways]
        canvas.cancel_stroke()
    yield "live-wire: click", click
    yield "live-wire: follow", follow


def box(canvas: Timed, around: list[QPoint]) -> Iterator[tuple[str, list[float]]]:
    """What the window does when a box is let go, and how long the object is looked for beside it (clock)."""
    canvas.set_tool("box")
    left, window, beside = Qt.MouseButton.LeftButton, [], []
    for at in around[:4]:
        QTest.mousePress(canvas, left, pos=at)
        QTest.mouseMove(canvas, at + QPoint(240, 200))
        window.append(spent(canvas, lambda at=at: QTest.mouseRelease(canvas, left, pos=at + QPoint(240, 200))))
        start = time.perf_counter()
        canvas.finish_stroke()
        beside.append((time.perf_counter() - start) * 1000)
    yield "box: let go", window
    yield "box: object found beside the window", beside


def seeing(canvas: Timed, megapixels: int, frames: int = 40) -> Iterator[Reaction]:
    """Dragging a handle of the histogram, and moving the image, with the minimap where it appears."""
    side = round(math.sqrt(megapixels * 1e6))
    labels = LabelMap(np.full((side, side), 255, np.uint8))
    labels.labels[: side // 2] = 1
    canvas.minimap.set_wanted(True)
    for channels, dtype in ((1, np.uint16), (3, np.uint16), (5, np.uint16), (1, np.float32), (3, np.uint8)):
        tile = np.random.default_rng(0).integers(0, 256 if dtype == np.uint8 else 4000, (512, 512, channels))
        times = side // 512 + 1
        picture = Picture(np.tile(tile.astype(dtype), (times, times, 1))[:side, :side].copy())
        look = default_look(channels, dtype)
        shades = shades_of(look, windows_of(look, picture.windows))
        for zoom in ("fit", "1", "8"):
            canvas.show_picture(picture, labels, "", shades)
            canvas.zoom_fit()
            if zoom != "fit":
                canvas.set_view(canvas.viewport.zoomed(float(zoom), WIDTH / 2, HEIGHT / 2))
            until_painted(canvas, canvas.update)
            drag, move = [], []
            for n in range(1, frames + 1):
                other = shades_of(look, [(n, 255 - n if dtype == np.uint8 else 4000 - 9 * n)] * channels)
                drag.append(spent(canvas, lambda other=other: canvas.set_shades(other)))
            for _ in range(frames):
                move.append(spent(canvas, lambda: canvas.set_view(canvas.viewport.moved(-3, -2))))
            kind = f"{channels} x {np.dtype(dtype).name}"
            yield Reaction(megapixels, zoom, f"{kind}: window dragged", float(np.median(drag)), max(drag))
            yield Reaction(megapixels, zoom, f"{kind}: image moved", float(np.median(move)), max(move))


def line(row: Row) -> str:
    """One line of the table."""
    times = f"{row.p50:8.2f} {row.p99:8.2f} {row.worst:9.2f} {row.cpu_p99:11.2f}"
    rest = f"{row.next_image:14.0f} {row.undo:9.2f} {row.peak_mb:8d}"
    return f"{row.megapixels:4d} {row.brush:6d} {row.zoom:>5s} {times} {rest}"


def dabs(canvas: Timed, sizes: Sequence[int], count: int) -> list[Row]:
    """The table of the brush."""
    rows = []
    print("  MP  brush  zoom   p50 ms   p99 ms  worst ms  CPU p99 ms  next image ms   undo ms  peak MB")
    for megapixels in sizes:
        for row in (huge_rows if megapixels > HUGE else measure)(canvas, megapixels, count):
            rows.append(row)
            print(line(row), flush=True)
    return rows


Measure = Callable[[Timed, int], Iterator[Reaction]]


def tools(canvas: Timed, sizes: Sequence[int], measured: Measure = reactions) -> list[Reaction]:
    """The table of the other tools, or of seeing."""
    rows = []
    print("  MP  zoom  p50 ms  worst ms")
    for megapixels in sizes:
        for row in measured(canvas, megapixels):
            rows.append(row)
            print(f"{row.megapixels:4d} {row.zoom:>5s} {row.p50:7.1f} {row.worst:9.1f}  {row.what}", flush=True)
    return rows


def main() -> None:
    """Measure what the words ask for and tell the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--huge", action="store_true", help="also 900 megapixels, read by parts")
    parser.add_argument("--only", type=int, help="one size in megapixels")
    parser.add_argument("--busy", action="store_true", help="while the real worker pretrains beside it")
    parser.add_argument("--dabs", type=int, default=200)
    parser.add_argument("--tools", action="store_true", help="the other tools in place of the brush")
    parser.add_argument("--seeing", action="store_true", help="contrast and moving in place of the brush")
    options = parser.parse_args()
    app = QApplication([])
    canvas = Timed()
    canvas.set_classes([LabelClass("background", "#999999"), LabelClass("a", "#e69f00"), LabelClass("b", "#56b4e9")])
    canvas.resize(WIDTH, HEIGHT)
    canvas.show()
    sizes = (1, 16, 100, 900) if options.huge else (1, 16, 100)
    sizes = (options.only,) if options.only else sizes
    with pretraining(options.busy):
        if options.seeing:
            rows = tools(canvas, (16,), seeing)
        else:
            rows = tools(canvas, sizes) if options.tools else dabs(canvas, sizes, options.dabs)
    idle = "pretraining" if options.busy else "idle"
    rounded = [{k: round(v, 2) if isinstance(v, float) else v for k, v in asdict(row).items()} for row in rows]
    print(json.dumps({"machine": idle, "cores": os.cpu_count(), "window": [WIDTH, HEIGHT], "rows": rounded}))
    canvas.close()
    app.quit()


if __name__ == "__main__":
    main()
