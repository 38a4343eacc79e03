"""Lasso and magic wand by mouse: what they take, cut and give back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.project.label_map import LabelMap
from sslstudio.ui.canvas.tools import wand

ALT = Qt.KeyboardModifier.AltModifier
CIRCLE = [(100 + 40 * np.cos(a), 75 + 40 * np.sin(a)) for a in np.linspace(0, 6.2, 60)]


def bind(desk, **values) -> None:
    desk.canvas.set_options(replace(desk.canvas.options, **values))


def shades(desk) -> None:
    """Two squares of one grey, one of a slightly brighter one, on dark ground; shown anew."""
    image = np.full((150, 200, 3), 60, np.uint8)
    image[20:50, 20:50] = image[20:50, 120:150] = 120
    image[50:80, 20:50] = 140
    desk.map = LabelMap(np.full((150, 200), 255, np.uint8))
    desk.canvas.show_image(image, desk.map, "shades")


def test_a_lasso_takes_what_it_goes_around_in_one_edit(desk):
    desk.canvas.set_tool("lasso")
    desk.drag(*CIRCLE)
    assert abs((desk.labels == 1).sum() / (np.pi * 40**2) - 1) < 0.05
    assert len(desk.strokes) == 1
    desk.canvas.apply_patch(desk.strokes[0][0])
    assert (desk.labels == 255).all()


def test_a_lasso_with_alt_cuts(desk):
    desk.labels[:] = 2
    desk.canvas.set_tool("lasso")
    desk.drag(*CIRCLE, modifiers=ALT)
    assert desk.labels[75, 100] == 255
    assert desk.labels[5, 5] == 2


def test_a_lasso_shows_its_line_and_escape_forgets_it(desk):
    desk.canvas.set_tool("lasso")
    before = desk.colour(100, 75)
    desk.press(*CIRCLE[0])
    for place in CIRCLE[1:]:
        desk.move(*place)
    assert desk.colour(100, 75) != before
    desk.key(Qt.Key.Key_Escape)
    desk.release(*CIRCLE[-1])
    assert (desk.labels == 255).all()
    assert desk.strokes == []


def test_losing_the_focus_takes_what_the_lasso_went_around(desk):
    desk.canvas.set_tool("lasso")
    desk.press(*CIRCLE[0])
    for place in CIRCLE[1:]:
        desk.move(*place)
    QApplication.sendEvent(desk.canvas, QFocusEvent(QEvent.Type.FocusOut))
    assert desk.labels[75, 100] == 1
    assert len(desk.strokes) == 1


def test_the_wand_takes_one_piece_or_all_that_is_alike(desk):
    shades(desk)
    desk.canvas.set_tool("wand")
    bind(desk, tolerance=5)
    desk.click(30, 30)
    assert (desk.labels == 1).sum() == 900
    assert (desk.labels[20:50, 20:50] == 1).all()
    bind(desk, contiguous=False)
    desk.canvas.set_current_class(2)
    desk.click(30, 30)
    assert (desk.labels == 2).sum() == 1800
    assert desk.labels[60, 30] == 255
    assert len(desk.strokes) == 2


def test_dragging_the_wand_changes_the_tolerance_at_once_and_is_one_edit(desk):
    shades(desk)
    desk.canvas.set_tool("wand")
    bind(desk, tolerance=5)
    desk.press(30, 30)
    assert (desk.labels == 1).sum() == 900
    scale = desk.canvas.sight().scale
    desk.move(30 + 3 * 20 / scale, 30)
    assert (desk.labels == 1).sum() == 1800, "the brighter neighbour too"
    assert desk.canvas.gesture.caption == "Tolerance 25"
    desk.move(30, 30)
    assert (desk.labels == 1).sum() == 900, "and back"
    desk.move(30 + 3 * 20 / scale, 30)
    desk.release(30 + 3 * 20 / scale, 30)
    assert (desk.labels == 1).sum() == 1800
    assert desk.canvas.options.tolerance == 25
    assert len(desk.strokes) == 1
    desk.canvas.apply_patch(desk.strokes[0][0])
    assert (desk.labels == 255).all()


def test_the_wand_takes_the_whole_image_though_only_a_part_is_in_sight(desk):
    shades(desk)
    desk.canvas.set_view(desk.canvas.viewport.zoomed(24, 0, 0))
    desk.canvas.centre_on(30, 30)
    desk.canvas.set_tool("wand")
    bind(desk, tolerance=5, contiguous=False)
    desk.press(30, 30)
    assert desk.labels[30, 130] == 255, "shown is what is in sight"
    desk.release(30, 30)
    assert desk.labels[30, 130] == 1


@pytest.mark.parametrize("contiguous", [True, False])
def test_on_a_large_image_the_wand_shows_what_is_near_and_looks_for_the_rest_beside(
    qtbot, desk, monkeypatch, contiguous
):
    monkeypatch.setattr(wand, "AT_ONCE", 0)
    monkeypatch.setattr(wand, "_AROUND", 10)
    shades(desk)
    desk.canvas.set_tool("wand")
    bind(desk, tolerance=5, contiguous=contiguous)
    desk.press(30, 30)
    assert (desk.labels == 1).sum() == 400
    desk.release(30, 30)
    qtbot.waitUntil(lambda: not desk.canvas.searches.running, timeout=20_000)
    assert (desk.labels == 1).sum() == (900 if contiguous else 1800)
    assert len(desk.strokes) == 1
    desk.canvas.apply_patch(desk.strokes[0][0])
    assert (desk.labels == 255).all()


def test_escape_takes_the_wand_back_and_alt_erases_with_it(desk):
    shades(desk)
    desk.canvas.set_tool("wand")
    desk.press(30, 30)
    desk.key(Qt.Key.Key_Escape)
    desk.release(30, 30)
    assert (desk.labels == 255).all()
    desk.labels[:] = 2
    desk.click(130, 30, ALT)
    assert (desk.labels[20:50, 120:150] == 255).all()
    assert desk.labels[100, 100] == 2


def test_the_wand_heeds_what_may_change(desk):
    shades(desk)
    desk.labels[30:40] = 2
    bind(desk, only=255, tolerance=5)
    desk.canvas.set_tool("wand")
    desk.click(25, 25)
    assert (desk.labels[30:40] == 2).all()
    assert (desk.labels == 1).sum() == 600


def test_beside_the_image_the_wand_does_nothing(desk):
    desk.canvas.set_tool("wand")
    QTest.mouseClick(desk.canvas, Qt.MouseButton.LeftButton)
    QTest.mousePress(desk.canvas, Qt.MouseButton.LeftButton, pos=desk.canvas.rect().topLeft())
    QTest.mouseMove(desk.canvas, desk.canvas.rect().topLeft())
    QTest.mouseRelease(desk.canvas, Qt.MouseButton.LeftButton, pos=desk.canvas.rect().topLeft())
    assert len(desk.strokes) == 1


def test_a_brush_that_takes_some_brightness_passes_over_the_rest(desk):
    shades(desk)
    bind(desk, sieved=True, low=110, high=130)
    desk.canvas.set_brush(60)
    desk.drag((10, 35), (160, 35))
    assert (desk.labels == 1).sum() == 1800
    assert desk.labels[60, 30] == 255
    desk.canvas.apply_patch(desk.strokes[0][0])
    assert (desk.labels == 255).all()


def test_the_other_end_of_a_pen_cuts_with_the_lasso_too(desk):
    desk.labels[:] = 2
    desk.canvas.set_tool("lasso")
    device = QPointingDevice(
        "pen", 7, QInputDevice.DeviceType.Stylus, QPointingDevice.PointerType.Eraser,
        QInputDevice.Capability.Pressure, 1, 1,
    )  # fmt: skip
    place, left = QPointF(desk.at(*CIRCLE[0])), Qt.MouseButton.LeftButton
    event = QTabletEvent(
        QEvent.Type.TabletPress, device, place, place, 0.5, 0, 0, 0, 0, 0, Qt.KeyboardModifier.NoModifier, left, left
    )
    QApplication.sendEvent(desk.canvas, event)
    desk.drag(*CIRCLE)
    assert desk.labels[75, 100] == 255
    desk.drag((20, 20), (40, 20), (40, 40))
    assert desk.labels[24, 36] == 1, "the mouse paints again"
