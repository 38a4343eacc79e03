"""What the steps about painting tools share: a cell to be painted, places on it, looks at the mask, steps back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.project.masks import read_mask
from sslstudio.ui.tour.acts import next_image, place
from sslstudio.ui.tour.driver import LEFT, Driver

ROUND = 1  # the class of the sample's round cells, which the keys call 2
_ROOM = 10  # pixels around a cell in which nothing else may lie


@dataclass(frozen=True)
class Cell:
    """One cell of the sample: ``inside`` (H, W) bool, its middle and the corners of a box around it, all in pixels."""

    inside: np.ndarray
    middle: tuple[float, float]
    box: tuple[int, int, int, int]  # left, top, right, bottom

    def rim(self, count: int, grown: float = 0.0) -> list[tuple[float, float]]:
        """Places along its edge, evenly spaced; ``grown`` pixels further out."""
        lines, _ = cv2.findContours(self.inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        line = max(lines, key=len)[:, 0] + 0.5
        away = line - np.array(self.middle)
        line = line + grown * away / np.linalg.norm(away, axis=1, keepdims=True)
        return [(float(x), float(y)) for x, y in line[np.linspace(0, len(line), count, endpoint=False).astype(int)]]


def a_cell(driver: Driver) -> Cell:
    """The largest round cell of the current image that stands alone."""
    cells = _cells(driver)
    driver.check(bool(cells), "No cell stands alone.")
    return cells[0]


def _cells(driver: Driver) -> list[Cell]:
    file = driver.window.session.file()
    truth = read_mask(file.parent.parent / "masks" / file.name)
    count, parts, stats, middles = cv2.connectedComponentsWithStats((truth == ROUND).astype(np.uint8))
    cells = []
    for part in sorted(range(1, count), key=lambda one: -stats[one, cv2.CC_STAT_AREA]):
        left, top, width, height = (int(value) for value in stats[part, :4])
        box = left, top, left + width, top + height
        if _alone(truth, parts == part, box):
            middle = float(middles[part][0]) + 0.5, float(middles[part][1]) + 0.5
            cells.append(Cell(parts == part, middle, box))
    return cells


def to_an_image_with_a_cell(driver: Driver) -> None:
    """Go on, by key, to the next image without a mask that has such a cell, and whose follower has its size."""
    session = driver.window.session
    names = [record.path for record in session.records]
    for _ in range(len(names) - 2 - names.index(session.image)):
        before = session.image
        driver.key("canvas", Qt.Key.Key_D)
        next_image(driver, before)
        at = names.index(session.image)
        one, other = session.records[at : at + 2]
        alike = (one.width, one.height) == (other.width, other.height)
        if alike and not one.painted and not other.painted and _cells(driver):
            return
    driver.check(False, "No image suits the painting tools.")


def look_closer(driver: Driver, cell: Cell, notches: int = 4) -> None:
    """Turn the wheel over a cell."""
    canvas = driver.window.canvas
    at = place(driver, *cell.middle)
    plain, none = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.NoButton
    for _ in range(notches):
        turn = QPoint(0, 120)
        event = QWheelEvent(
            at, canvas.mapToGlobal(at), QPoint(), turn, none, plain, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(canvas, event)


def brush_of(driver: Driver, pixels: int) -> None:
    """Make brush and eraser about as large, by keys; the brush is taken where neither is in the hand."""
    canvas = driver.window.canvas
    if canvas.tool not in ("brush", "eraser"):
        driver.key("canvas", Qt.Key.Key_B)
    for key, wanted in ((Qt.Key.Key_BracketLeft, pixels.__lt__), (Qt.Key.Key_BracketRight, pixels.__gt__)):
        while wanted(before := canvas.brush):
            driver.key("canvas", key)
            driver.check(canvas.brush != before, "The brush keeps its size.")


def labels(driver: Driver) -> np.ndarray:
    """The mask of the current image, (H, W) uint8, as the window has it; a copy."""
    shown = driver.window.session.labels
    assert shown is not None
    return shown.labels[:, :].copy()


def stored(driver: Driver) -> np.ndarray:
    """The same, as the project has it."""
    session = driver.window.session
    assert session.project is not None
    return session.project.label_map(session.image).labels[:, :]


def overlap(driver: Driver, cell: Cell) -> float:
    """Intersection over union of what is painted as round cells and a cell."""
    painted = labels(driver) == ROUND
    return float((painted & cell.inside).sum() / max(1, (painted | cell.inside).sum()))


@contextmanager
def taken_back(driver: Driver) -> Iterator[None]:
    """What is done within reaches the project, stroke by stroke, and is taken back by key afterwards."""
    before = labels(driver)
    yield
    driver.check(np.array_equal(labels(driver), stored(driver)), "The project has another mask than the window.")
    for _ in range(40):
        if np.array_equal(labels(driver), before):
            break
        driver.key("canvas", Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    driver.check(np.array_equal(stored(driver), before), "Undo did not bring the mask back.")


def take(driver: Driver, key: Qt.Key, tool: str) -> None:
    """Take a tool by its key, and round cells as the class."""
    driver.key("canvas", Qt.Key.Key_2)
    driver.key("canvas", key)
    driver.check(driver.window.canvas.tool == tool, f"Its key does not take the {tool}.")


def drag(driver: Driver, *places: tuple[float, float]) -> None:
    """Draw with the left button through places of the image."""
    driver.drag(driver.window.canvas, [place(driver, x, y) for x, y in places])


def click(driver: Driver, x: float, y: float) -> None:
    """Press the left button on a place of the image."""
    canvas = driver.window.canvas
    point = place(driver, x, y).toPoint()
    QTest.mouseMove(canvas, point - QPoint(2, 2))
    QTest.mouseMove(canvas, point)
    QTest.mouseClick(canvas, LEFT, pos=point)


def press(driver: Driver, points: Sequence[QPointF]) -> None:
    """Put the button down and drag through places of the canvas without letting go."""
    canvas = driver.window.canvas
    QTest.mousePress(canvas, LEFT, pos=points[0].toPoint())
    for point in points[1:]:
        QTest.mouseMove(canvas, point.toPoint())


def _alone(truth: np.ndarray, part: np.ndarray, box: tuple[int, int, int, int]) -> bool:
    left, top, right, bottom = box
    height, width = truth.shape
    if left < _ROOM or top < _ROOM or right > width - _ROOM or bottom > height - _ROOM:
        return False
    around = np.s_[top - _ROOM : bottom + _ROOM, left - _ROOM : right + _ROOM]
    return not ((truth[around] != 0) & ~part[around]).any()
