"""What is done again and again in the window: see a run through, go on to another image, paint where a mask says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt

from sslstudio.runs.folder import RunState
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.tour.driver import Driver

GOING = (RunState.WAITING, RunState.RUNNING, RunState.PAUSED)
# Seconds to wait at most; a busy machine takes many times as long as a free one.
RUN, ANSWER = 900, 300

Line = list[tuple[float, float]]  # places (x, y) in image pixels


def watch(driver: Driver, kind: str, until: Callable[[LiveRun], bool], what: str) -> None:
    """Look at a run of this kind until something can be seen of it."""
    queue = driver.window.session.queue

    def seen() -> bool:
        run = queue.latest(kind)
        return run is not None and (run.state not in GOING or until(run))

    driver.wait(queue.updated, seen, RUN, what)
    run = queue.latest(kind)
    driver.check(run is not None and until(run), (run.warning if run else "") or what)


def see_out(driver: Driver, kind: str) -> LiveRun:
    """Wait for the end of the newest run of this kind; it must have ended well."""
    queue = driver.window.session.queue

    def over() -> bool:
        run = queue.latest(kind)
        return run is not None and not run.active

    driver.wait(queue.ended, over, RUN, f"the {kind} run goes on.")
    run = queue.latest(kind)
    assert run is not None
    driver.rest()
    driver.check(run.state is RunState.FINISHED, f"The {kind} run ended as {run.state.value}: {run.warning}")
    return run


def next_image(driver: Driver, before: str) -> None:
    """Wait until another image than ``before`` is shown."""
    session = driver.window.session

    def shown() -> bool:
        return session.labels is not None and session.image != before

    driver.wait(session.image_ready, shown, ANSWER, "the next image is not shown.")


def paint_image(driver: Driver, truth: np.ndarray, classes: Sequence[int], most: int) -> dict[int, list[Line]]:
    """Paint at most ``most`` strokes of each class where ``truth`` (H, W) has it; the strokes by class."""
    painted: dict[int, list[Line]] = {}
    for value in classes:
        driver.key("canvas", Qt.Key(Qt.Key.Key_1.value + value))
        driver.check(driver.window.canvas.current_class == value, f"Key {value + 1} does not choose the class.")
        painted[value] = list(strokes(truth == value, driver.window.canvas.brush, most))
        for stroke in painted[value]:
            driver.drag(driver.window.canvas, [place(driver, x, y) for x, y in stroke])
    return painted


def strokes(wanted: np.ndarray, brush: int, most: int) -> Iterator[Line]:
    """Straight strokes of a round ``brush`` (diameter) that stay inside ``wanted`` (H, W) bool, longest first."""
    depth = cv2.distanceTransform(np.pad(wanted, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    room = (depth > brush / 2 + 1).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(room)
    largest = sorted(range(1, count), key=lambda part: -stats[part, cv2.CC_STAT_AREA])[:most]
    if len(largest) == 1 < most:
        yield from _runs(room, most)
        return
    for part in largest:
        rows = np.flatnonzero((parts == part).any(axis=1))
        for row in rows[:: max(1, brush * 2 // 3)]:
            columns = np.flatnonzero(parts[row] == part)
            yield _line(float(columns[0]), float(columns[-1]), float(row))


def place(driver: Driver, x: float, y: float) -> QPointF:
    """Where on the canvas a place of the image is."""
    return driver.window.canvas.widget_points((x, y))[0]


def on_canvas(driver: Driver, x: float, y: float) -> QPoint:
    """A place given as shares of the image."""
    record = driver.window.session.current()
    assert record is not None
    return place(driver, x * record.width, y * record.height).toPoint()


def _runs(room: np.ndarray, most: int) -> Iterator[Line]:
    """The longest free stretches of a few rows spread over the picture."""
    height = len(room)
    for row in range(height // (2 * most), height, height // most):
        edges = np.flatnonzero(np.diff(np.pad(room[row], 1).astype(np.int8)))
        spans = [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        if spans:
            left, right = max(spans, key=lambda span: span[1] - span[0])
            yield _line(float(left), float(right), float(row))


def _line(left: float, right: float, row: float) -> Line:
    return [(float(x), row + 0.5) for x in np.linspace(left + 0.5, right + 0.5, 8)]
