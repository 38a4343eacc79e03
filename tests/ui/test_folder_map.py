"""The map of the folder in the hand: moving, zooming, clicking, the lasso; and what is drawn."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.ui import theme
from sslstudio.ui.folder_map.drawing import inside, spread_out, stamp
from sslstudio.ui.folder_map.map import FolderMap, MapState

LEFT, SHIFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier
PLACES = np.array([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9], [0.5, 0.5]], np.float32)
NAMES = tuple(f"{name}.png" for name in "abcde")
ORANGE = 0xFFE69F00


def state(colour: int = ORANGE) -> MapState:
    return MapState(NAMES, PLACES, np.full(5, colour, np.uint32), ("x",) * 5, (("#e69f00", "Group 1"),))


@pytest.fixture
def shown(qtbot):
    theme.apply(QApplication.instance(), dark=False)
    made = FolderMap(lambda path: None)
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.draw(state())
    made.show()
    qtbot.waitExposed(made)
    return made


def place_of(shown: FolderMap, number: int) -> QPoint:
    x, y = shown.to_widget(PLACES[number][None])[0]
    return QPointF(x, y).toPoint()


def drag(shown: FolderMap, places: list[QPoint], keys: Qt.KeyboardModifier = NONE) -> None:
    QTest.mousePress(shown, LEFT, keys, places[0])
    for place in places[1:]:
        at = QPointF(place)
        event = QMouseEvent(QEvent.Type.MouseMove, at, shown.mapToGlobal(at), Qt.MouseButton.NoButton, LEFT, keys)
        QApplication.sendEvent(shown, event)
    QTest.mouseRelease(shown, LEFT, keys, places[-1])


def test_each_image_is_a_point_in_its_colour(shown):
    picture = shown.grab().toImage()
    for number in range(5):
        assert QColor(picture.pixel(place_of(shown, number))).rgb() == ORANGE
    shown.draw(state(0xFF0072B2))
    assert QColor(shown.grab().toImage().pixel(place_of(shown, 0))).rgb() == 0xFF0072B2


def test_a_click_goes_to_the_image_and_the_current_one_is_marked(shown, qtbot):
    with qtbot.waitSignal(shown.image_wanted, timeout=1000) as heard:
        QTest.mouseClick(shown, LEFT, NONE, place_of(shown, 3))
    assert heard.args == ["d.png"]
    before = shown.grab().toImage()
    shown.show_current("d.png")
    assert shown.grab().toImage() != before
    with qtbot.assertNotEmitted(shown.image_wanted):
        QTest.mouseClick(shown, LEFT, NONE, QPoint(250, 30))


def test_dragging_moves_the_map_and_the_wheel_keeps_the_place_under_the_pointer(shown):
    was = place_of(shown, 4)
    drag(shown, [was, was + QPoint(30, 10), was + QPoint(60, 20)])
    assert (place_of(shown, 4) - was - QPoint(60, 20)).manhattanLength() <= 2
    pointer = QPointF(place_of(shown, 1))
    event = QWheelEvent(
        pointer, shown.mapToGlobal(pointer), QPoint(), QPoint(0, 480), Qt.MouseButton.NoButton, NONE,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    before = shown.scale
    QApplication.sendEvent(shown, event)
    assert shown.scale > 1.9 * before
    assert (QPointF(place_of(shown, 1)) - pointer).manhattanLength() <= 2
    shown.fit()
    assert place_of(shown, 4) == was
    QTest.keyClick(shown, Qt.Key.Key_Right)
    assert place_of(shown, 4).x() < was.x()


@pytest.mark.parametrize("way", ["shift", "tool"])
def test_the_lasso_selects_what_it_holds_and_a_click_beside_lets_go(shown, qtbot, way):
    shown.set_lasso(way == "tool")
    a, b = place_of(shown, 0), place_of(shown, 1)
    loop = [a + QPoint(-20, -20), b + QPoint(20, -20), b + QPoint(20, 20), a + QPoint(-20, 20)]
    with qtbot.waitSignal(shown.selected, timeout=1000) as heard:
        drag(shown, loop, SHIFT if way == "shift" else NONE)
    assert heard.args == [["a.png", "b.png"]]
    faded = QColor(shown.grab().toImage().pixel(place_of(shown, 4)))
    assert faded.rgb() != ORANGE
    assert QColor(shown.grab().toImage().pixel(a)).rgb() == ORANGE
    with qtbot.waitSignal(shown.selected, timeout=1000) as heard:
        QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert heard.args == [[]]


def test_thumbnails_are_asked_for_and_drawn(qtbot):
    red = QImage(40, 30, QImage.Format.Format_RGB888)
    red.fill(QColor("red"))
    made = FolderMap({"a.png": red}.get)
    qtbot.addWidget(made)
    made.resize(500, 400)
    made.show()
    qtbot.waitExposed(made)
    with qtbot.waitSignal(made.thumbnails_wanted, timeout=5000) as heard:
        made.draw(state())
    assert {"a.png", "b.png", "c.png"} <= set(heard.args[0]) <= set(NAMES)
    corner = place_of(made, 0) + QPoint(15, 15)
    assert QColor(made.grab().toImage().pixel(corner)) == QColor("red")


def test_points_in_a_polygon_are_those_by_the_slow_rule():
    rng = np.random.default_rng(0)
    polygon, points = rng.random((7, 2)), rng.random((300, 2))

    def slow(x: float, y: float) -> bool:
        crossings = 0
        for at in range(7):
            (x0, y0), (x1, y1) = polygon[at], polygon[(at + 1) % 7]
            if (y0 > y) != (y1 > y) and x < (x1 - x0) * (y - y0) / (y1 - y0) + x0:
                crossings += 1
        return crossings % 2 == 1

    assert inside(polygon, points).tolist() == [slow(x, y) for x, y in points]


def test_discs_never_leave_the_picture_and_thumbnails_keep_apart():
    picture = np.zeros((20, 30), np.uint32)
    stamp(picture, np.array([0, 29, 15, -5]), np.array([0, 19, 10, 3]), np.full(4, 7, np.uint32), 3.0)
    assert picture[10, 15] == 7
    assert (picture == 7).sum() == 37 or (picture == 7).sum() == 29
    rng = np.random.default_rng(0)
    points = rng.random((5000, 2))
    kept = spread_out(points, rng.permutation(5000), 1000.0, 96.0)
    far = np.abs(points[kept][:, None] - points[kept][None]).max(axis=2) * 1000
    assert 20 < len(kept) < 200
    assert (far + 1e9 * np.eye(len(kept))).min() >= 47
