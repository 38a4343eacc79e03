"""A folder of 100,000 images: opening it twice, memory, scrolling without blank rows, filter and search.

Makes the folder on the spot: 400 different JPEGs, hard-linked under names of their own. Each opening is a process
of its own with the real window; wheel, scroll bar and keys are real events.
Usage: ``python benchmarks/large_folder.py [count]`` (100,000 unless told).
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen" if not os.environ.get("DISPLAY") else "xcb")

DISTINCT = 400
FRAME = 16  # milliseconds between two events of a hand


def make_images(folder: Path, count: int) -> None:
    """``count`` JPEGs of 640 x 480 in folders of 1,000; hard links to 400 pictures."""
    import cv2

    chance = np.random.default_rng(1)
    store = folder.with_name("pictures")
    store.mkdir(parents=True)
    for number in range(DISTINCT):
        small = chance.integers(0, 255, (30, 40, 3), np.uint8)
        picture = cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(store / f"{number}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    for number in range(count):
        part = folder / f"part_{number // 1000:03d}"
        if number % 1000 == 0:
            part.mkdir(parents=True)
        os.link(store / f"{number % DISTINCT}.jpg", part / f"image_{number:06d}.jpg")


class Watch:
    """Sees every cell of the list as it is painted, and how long each was in sight without its picture."""

    def __init__(self, browser) -> None:
        self.browser = browser
        self.blank: dict[str, float] = {}
        self.times: list[float] = []
        self._get = browser.thumbnails.get
        browser.thumbnails.get = self._seen
        browser.view.verticalScrollBar().valueChanged.connect(self._forget)

    def _seen(self, path: str):
        image = self._get(path)
        now = time.perf_counter()
        if image is None:
            self.blank.setdefault(path, now)
        else:
            self.times.append(now - self.blank.pop(path, now))
        return image

    def _forget(self) -> None:
        """What was scrolled out of sight while blank was blank until now."""
        now, here = time.perf_counter(), self.in_sight()
        for path in [path for path in self.blank if path not in here]:
            self.times.append(now - self.blank.pop(path))

    def in_sight(self) -> set[str]:
        """The paths of the cells in sight."""
        browser = self.browser
        first, last = browser.view.visible_rows()
        return {browser.model.record_at(row).path for row in range(first, last + 1)}

    def complete(self) -> bool:
        """Whether every cell in sight was painted with its picture."""
        here = self.in_sight()
        return bool(here) and not self.blank and all(self._get(path) is not None for path in here)

    def take(self) -> dict[str, float]:
        """Milliseconds in which cells in sight stayed blank, since the last time."""
        now = time.perf_counter()
        times = [*self.times, *(now - since for since in self.blank.values())]
        self.times = []
        self.blank = dict.fromkeys(self.blank, now)
        if not times:
            return {}
        return {"cells": len(times), "worst_ms": 1000 * max(times), "p99_ms": 1000 * float(np.quantile(times, 0.99))}


def play(app, script: Iterator[int | object], found: dict) -> None:
    """Go on with ``script`` after the milliseconds it yields; or, where it yields a question, once that is true."""
    from PySide6.QtCore import QTimer

    def step() -> None:
        try:
            wish = next(script)
        except StopIteration:
            app.quit()
            return
        if callable(wish):
            wait(wish)
        else:
            QTimer.singleShot(wish, step)

    def wait(question) -> None:
        if question():
            step()
        else:
            QTimer.singleShot(2, lambda: wait(question))

    QTimer.singleShot(0, step)
    app.exec()


def wheel(view, notches: int) -> None:
    """One turn of the wheel over the list."""
    from PySide6.QtCore import QPoint, QPointF, Qt
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    at = QPointF(view.viewport().rect().center())
    event = QWheelEvent(
        at,
        QPointF(view.viewport().mapToGlobal(at.toPoint())),
        QPoint(),
        QPoint(0, -120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)


def opening(window, images: Path, found: dict, *, whole: bool) -> Iterator:
    """Open and note when: listed, first screen, first image, all files looked into."""
    began, busy = time.perf_counter(), time.process_time()

    def mark(name: str) -> None:
        found.setdefault(name, round(time.perf_counter() - began, 3))

    window.session.opened.connect(lambda: mark("listed_s"))
    window.session.image_ready.connect(lambda: mark("first_image_s"))
    window.session.checked.connect(lambda number: mark("complete_s") if number < 0 else None)
    watch = Watch(window.browser)
    window.files.open(images)
    yield lambda: window.browser.model.rowCount() > 0 and watch.complete()
    mark("first_screen_s")
    found["first_screen_processor_s"] = round(time.process_time() - busy, 3)
    yield lambda: "first_image_s" in found
    found["memory_then_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    if whole:
        yield lambda: "complete_s" in found
    window.watch = watch


def first(window, images: Path, found: dict) -> Iterator:
    """The first opening, until every file was looked into; the list is scrolled meanwhile."""
    yield from opening(window, images, found, whole=False)
    yield from scrolling(window, found, "wheel while checking", 120, 3)
    yield lambda: "complete_s" in found


def second(window, images: Path, found: dict) -> Iterator:
    """The second opening; then wheel, scroll bar, filter and search."""
    yield from opening(window, images, found, whole=True)
    yield 500
    yield from scrolling(window, found, "wheel, one notch a frame", 240, 1)
    yield from scrolling(window, found, "wheel, five notches a frame", 240, 5)
    yield from dragging(window, found)
    yield from searching(window, found)


def scrolling(window, found: dict, name: str, frames: int, notches: int) -> Iterator:
    """Turn the wheel for some seconds."""
    watch, view = window.watch, window.browser.view
    watch.take()
    for _ in range(frames):
        wheel(view, notches)
        yield FRAME
    yield watch.complete
    found[name] = watch.take()


def dragging(window, found: dict) -> Iterator:
    """Take the handle of the scroll bar, slowly over some rows and in jumps over the whole folder."""
    from PySide6.QtCore import QPoint, Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QStyle, QStyleOptionSlider

    watch, bar = window.watch, window.browser.view.verticalScrollBar()
    option = QStyleOptionSlider()
    bar.initStyleOption(option)
    style = bar.style()
    handle = style.subControlRect(
        QStyle.ComplexControl.CC_ScrollBar, option, QStyle.SubControl.SC_ScrollBarSlider, bar
    ).center()
    left = Qt.MouseButton.LeftButton
    chance = random.Random(2)
    watch.take()
    QTest.mousePress(bar, left, Qt.KeyboardModifier.NoModifier, handle)
    y, top, bottom = handle.y(), 20, bar.height() - 20
    waits = []
    for _ in range(30):
        goal = chance.randint(top, bottom)
        while abs(goal - y) > 40:  # a hand takes some moves to get there
            y += 40 if goal > y else -40
            QTest.mouseMove(bar, QPoint(handle.x(), y))
            yield FRAME
        QTest.mouseMove(bar, QPoint(handle.x(), goal))
        y = goal
        began = time.perf_counter()
        yield watch.complete
        waits.append(1000 * (time.perf_counter() - began))
    QTest.mouseRelease(bar, left, Qt.KeyboardModifier.NoModifier, QPoint(handle.x(), y))
    found["scroll bar"] = watch.take() | {"screen_ms": sorted(waits)[len(waits) // 2], "worst_screen_ms": max(waits)}


def searching(window, found: dict) -> Iterator:
    """Type a name, clear it, choose each filter; milliseconds until the list is there, and of the window's thread."""
    from PySide6.QtTest import QTest

    browser = window.browser
    for name, act in (
        ("search", lambda: QTest.keyClicks(browser.search, "99_99")),
        ("search for a part_", lambda: (browser.search.clear(), QTest.keyClicks(browser.search, "part_"))),
        ("search cleared", browser.search.clear),
        ("filter: painted", lambda: browser.filter.setCurrentIndex(1)),
        ("filter: not painted", lambda: browser.filter.setCurrentIndex(2)),
        ("filter: all", lambda: browser.filter.setCurrentIndex(0)),
    ):
        resets: list[float] = []
        link = browser.model.modelReset.connect(lambda at=resets: at.append(time.perf_counter()))
        began, busy = time.perf_counter(), time.thread_time()
        act()
        yield lambda at=resets: bool(at)
        yield 0
        yield lambda: browser.model.rowCount() == 0 or window.watch.complete()
        found[name] = {
            "list_ms": 1000 * (resets[-1] - began),
            "thumbnails_ms": 1000 * (time.perf_counter() - began),
            "window_ms": 1000 * (time.thread_time() - busy),
            "rows": browser.model.rowCount(),
        }
        browser.model.modelReset.disconnect(link)


def child(which: str, images: Path) -> None:
    """One process with a window; prints JSON."""
    from sslstudio.ui.app import make_application

    app = make_application()
    from sslstudio.ui.main_window import MainWindow

    window = MainWindow()
    window.show()
    found: dict = {}
    play(app, {"first": first, "second": second}[which](window, images, found), found)
    found["memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    window.close()
    print(json.dumps(found))


def main() -> None:
    """Make, open twice, print."""
    if len(sys.argv) > 2:
        child(sys.argv[1], Path(sys.argv[2]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as place:
        os.environ["SSLSTUDIO_STATE"] = f"{place}/state"
        images = Path(place) / "images"
        make_images(images, count)
        result: dict = {"images": count}
        for which in ("first", "second"):
            done = subprocess.run([sys.executable, __file__, which, str(images)], stdout=subprocess.PIPE, check=True)
            result[which] = json.loads(done.stdout)
    for which in ("first", "second"):
        print(f"\n{which} opening")
        for name, value in result[which].items():
            words = "  ".join(f"{k} {v:.1f}" for k, v in value.items()) if isinstance(value, dict) else value
            print(f"  {name:28} {words}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
