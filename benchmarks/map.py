"""How long a frame of the folder's map takes: 20 000 points, moved and zoomed with real mouse events.

    python benchmarks/map.py [--images 20000] [--frames 120]

The real widget is driven; a frame is from the event to the end of the paint event that follows. Thumbnails are made-up
pictures that are all there, which is the most work. Last line: one JSON object; times in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from sslstudio.ui import theme
from sslstudio.ui.folder_map.map import FolderMap, MapState

WIDTH, HEIGHT = 1600, 1000
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Timed(FolderMap):
    """The map, telling when a paint event ended."""

    done = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        super().paintEvent(event)
        self.done.emit()


def points(count: int) -> np.ndarray:
    """Heaps as t-SNE makes them."""
    rng = np.random.default_rng(0)
    middles = rng.random((40, 2))
    places = middles[rng.integers(40, size=count)] + rng.normal(0, 0.03, (count, 2))
    return np.clip(places, 0, 1).astype(np.float32)


def frame(shown: Timed, send: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds from an event to the end of the paint it causes: on the clock, and of the processor."""
    loop = QEventLoop()
    shown.done.connect(loop.quit)
    QTimer.singleShot(5000, loop.quit)
    began, worked = time.perf_counter(), time.process_time()
    send()
    loop.exec()
    shown.done.disconnect(loop.quit)
    return 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked)


def drag(shown: Timed, number: int) -> None:
    """Move the pressed mouse to the place of this frame."""
    place = QPointF(800 + 300 * np.sin(number / 9), 500 + 200 * np.cos(number / 7))
    event = QMouseEvent(QEvent.Type.MouseMove, place, shown.mapToGlobal(place), Qt.MouseButton.NoButton, LEFT, NONE)
    QApplication.sendEvent(shown, event)


def turn(shown: Timed, number: int) -> None:
    """Turn the wheel by one notch: twenty frames inwards, twenty outwards."""
    step = 120 if number // 20 % 2 == 0 else -120
    place = QPointF(700, 450)
    event = QWheelEvent(
        place, shown.mapToGlobal(place), QPoint(), QPoint(0, step), Qt.MouseButton.NoButton, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(shown, event)


def main() -> None:
    """Measure the map while it is moved and zoomed and tell the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--frames", type=int, default=120)
    words = parser.parse_args()
    app = QApplication([])
    theme.apply(app, dark=False)
    picture = QImage(160, 120, QImage.Format.Format_RGB888)
    picture.fill(Qt.GlobalColor.darkCyan)
    shown = Timed(lambda path: picture)
    shown.resize(WIDTH, HEIGHT)
    shown.show()
    count = words.images
    colours = np.random.default_rng(1).integers(0, 1 << 24, count).astype(np.uint32) | np.uint32(0xFF000000)
    state = MapState(tuple(f"{at}.png" for at in range(count)), points(count), colours, ("",) * count)
    result: dict[str, object] = {"images": count, "size": [WIDTH, HEIGHT]}
    result["first_frame"] = round(frame(shown, lambda: shown.draw(state))[0], 1)
    press = QPointF(800, 500)
    QApplication.sendEvent(
        shown, QMouseEvent(QEvent.Type.MouseButtonPress, press, shown.mapToGlobal(press), LEFT, LEFT, NONE)
    )
    for name, act in (("move", drag), ("zoom", turn)):
        taken = [frame(shown, lambda at=at, act=act: act(shown, at)) for at in range(1, words.frames + 1)]
        clock, worked = (np.array(column) for column in zip(*taken, strict=True))
        result[name] = {
            "p50": round(float(np.median(clock)), 1),
            "p99": round(float(np.quantile(clock, 0.99)), 1),
            "cpu_p50": round(float(np.median(worked)), 1),
            "cpu_p99": round(float(np.quantile(worked, 0.99)), 1),
        }
        print(name, result[name])
    print(json.dumps(result))


if __name__ == "__main__":
    main()
