"""How fast the canvas answers the pen: from a mouse event to the end of the paint event, on images of many sizes.

    python benchmarks/canvas.py [--huge] [--busy] [--dabs 200]

The real widget is driven with real mouse events. "CPU p99" is the processor time that the window's thread spent on a
dab: what p99 comes to on a machine with nothing else to do. Last line: one JSON object. ``--busy`` measures while
the real pretraining worker runs beside it, started as the window starts it.
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
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

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
    strokes: list = []
    canvas.stroke_finished.connect(lambda before, after: strokes.append(before))
    for zoom in ("fit", "1", "8"):
        canvas.zoom_fit()
        if zoom != "fit":
            middle = WIDTH / 2, HEIGHT / 2
            canvas.set_view(canvas.viewport.zoomed(float(zoom), *middle))
        until_painted(canvas, canvas.update)
        for index, brush in enumerate((5, 50, 500)):
            canvas.set_brush(brush)
            canvas.set_current_class(index % 2 + 1)
            processor, times = zip(*scribble(canvas, dabs), strict=True)
            undo = until_painted(canvas, lambda: canvas.apply_patch(strokes[-1]))
            (p50, p99), cpu_p99 = np.percentile(times, (50, 99)), np.percentile(processor, 99)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            yield Row(megapixels, brush, zoom, p50, p99, max(times), cpu_p99, next_image, undo, peak)
    canvas.stroke_finished.disconnect()


def line(row: Row) -> str:
    """One line of the table."""
    times = f"{row.p50:8.2f} {row.p99:8.2f} {row.worst:9.2f} {row.cpu_p99:11.2f}"
    rest = f"{row.next_image:14.0f} {row.undo:9.2f} {row.peak_mb:8d}"
    return f"{row.megapixels:4d} {row.brush:6d} {row.zoom:>5s} {times} {rest}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--huge", action="store_true", help="also 400 megapixels")
    parser.add_argument("--busy", action="store_true", help="while the real worker pretrains beside it")
    parser.add_argument("--dabs", type=int, default=200)
    options = parser.parse_args()
    app = QApplication([])
    canvas = Timed()
    canvas.set_classes([LabelClass("background", "#999999"), LabelClass("a", "#e69f00"), LabelClass("b", "#56b4e9")])
    canvas.resize(WIDTH, HEIGHT)
    canvas.show()
    rows = []
    print("  MP  brush  zoom   p50 ms   p99 ms  worst ms  CPU p99 ms  next image ms   undo ms  peak MB")
    with pretraining(options.busy):
        for megapixels in (1, 16, 100, 400) if options.huge else (1, 16, 100):
            for row in measure(canvas, megapixels, options.dabs):
                rows.append(row)
                print(line(row), flush=True)
    idle = "pretraining" if options.busy else "idle"
    rounded = [{k: round(v, 2) if isinstance(v, float) else v for k, v in asdict(row).items()} for row in rows]
    print(json.dumps({"machine": idle, "cores": os.cpu_count(), "window": [WIDTH, HEIGHT], "rows": rounded}))
    canvas.close()
    app.quit()


if __name__ == "__main__":
    main()
