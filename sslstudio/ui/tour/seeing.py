"""The step about how images are shown: contrast, channels, minimap; asserted on what the canvas shows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sslstudio.ui.tour.acts import place
from sslstudio.ui.tour.driver import LEFT, Driver

_Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


def contrast(driver: Driver) -> None:
    """The window is dragged in the histogram, a channel goes off, all comes back; networks get what they got."""
    window = driver.window
    canvas, picture = window.canvas, window.session.picture
    assert picture is not None
    canvas.zoom_fit()
    driver.key("canvas", _Key.Key_H)  # masks would tint what is measured
    before, given = _bright(driver), picture.rgb8.copy()
    driver.key("canvas", _Key.Key_V)
    view = window.view_card.histogram
    high = round(view.x_of(255))
    driver.drag(view, [QPoint(x, 40).toPointF() for x in (high, high - 60, high - 120)])
    driver.rest()
    driver.check(_bright(driver) > before + 20, "A lower white does not make the image brighter.")
    driver.check(np.array_equal(picture.rgb8, given), "What networks get has changed.")
    driver.shoot("contrast")
    driver.click("view.channels.1")
    driver.check(_colour(driver)[0] == 0, "A channel that is off is still seen.")
    driver.key("canvas", _Key.Key_V, SHIFT)
    driver.check(abs(_bright(driver) - before) < 1, "Reset does not bring the first look back.")
    driver.key("canvas", _Key.Key_V)
    driver.check(not window.view_card.isVisible(), "The card does not go.")
    driver.key("canvas", _Key.Key_H)


def minimap(driver: Driver) -> None:
    """Zoomed in, the whole image stands in a corner; a click there goes elsewhere."""
    canvas = driver.window.canvas
    canvas.zoom_fit()
    driver.check(not canvas.minimap.isVisible(), "The minimap is there though all of the image is in sight.")
    for _ in range(6):
        driver.key("canvas", _Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    small = driver.find("canvas.minimap")
    QTest.mouseClick(small, LEFT, pos=QPoint(12, 12))
    seen = canvas.sight().seen
    driver.check(seen.left < 40 and seen.top < 40, "A click on the minimap does not go there.")
    driver.shoot("minimap")
    canvas.zoom_fit()


def _colour(driver: Driver) -> np.ndarray:
    """The mean colour that the canvas shows in the middle of the image, red first."""
    canvas = driver.window.canvas
    width, height = canvas.image_size
    middle = place(driver, width / 2, height / 2).toPoint()
    shown = canvas.grab().toImage()
    spots = [middle + QPoint(x, y) for x in range(-60, 61, 4) for y in range(-60, 61, 4)]
    colours = [shown.pixelColor(spot) for spot in spots]
    return np.mean([(one.red(), one.green(), one.blue()) for one in colours], axis=0)


def _bright(driver: Driver) -> float:
    return float(_colour(driver).mean())


SEEING: tuple[Callable[[Driver], None], ...] = (contrast, minimap)
