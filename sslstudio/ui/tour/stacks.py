"""The step about stacks: through its slices by keys and slider, two of them painted, those between filled."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import tifffile
from PySide6.QtCore import Qt

from sslstudio.images.slices import slice_path
from sslstudio.project.label_map import UNPAINTED
from sslstudio.ui.tour.acts import ANSWER
from sslstudio.ui.tour.driver import Driver
from sslstudio.ui.tour.easel import ROUND, drag, labels, take

_Key = Qt.Key
_FILE, _SLICES, _SIDE = "zz_stack.tif", 15, 192
_FIRST, _LAST = 5, 11  # the slices that are painted by hand


def stack(driver: Driver) -> None:
    """A stack of a ball is found, walked through, painted twice and filled in between; then all is taken back."""
    window, session = driver.window, driver.window.session
    assert session.project is not None
    before = session.image
    pixels = np.stack([np.where(_disc(number), 190, 60) for number in range(1, _SLICES + 1)]).astype(np.uint8)
    tifffile.imwrite(session.project.images_root / _FILE, pixels, photometric="minisblack")
    driver.key("canvas", _Key.Key_F5)
    last = slice_path(_FILE, _SLICES)
    driver.wait(session.records_changed, lambda: session.record(last) is not None, ANSWER, "the slices are not found.")
    window.painting.go_to(_FILE)
    _see(driver, 1)
    _paint(driver, _FIRST)
    _paint(driver, _LAST)
    driver.key("canvas", _Key.Key_PageUp)
    _see(driver, _LAST - 1)
    driver.rest()
    driver.click("slices.interpolate")
    middle = (_FIRST + _LAST) // 2
    between = _LAST - _FIRST - 1
    driver.wait(session.record_changed, lambda: _painted(driver, between + 2), ANSWER, "not all are filled.")
    driver.rest()
    driver.check(f"Filled {between} slices" in window.notice.shown(), "Nobody says what was filled.")
    window.stacks.go_to(middle)
    _see(driver, middle)
    found, truth = labels(driver) == ROUND, _disc(middle)
    dice = 2 * (found & truth).sum() / (found.sum() + truth.sum())
    driver.check(dice > 0.9, f"What is filled fits the ball by {dice:.2f}.")
    driver.shoot("slices-filled")
    driver.click("notice.act")
    driver.check(bool((labels(driver) == UNPAINTED).all()), "Taking all back leaves something.")
    for number in (_FIRST, _LAST):
        window.stacks.go_to(number)
        _see(driver, number)
        driver.key("canvas", _Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    window.painting.go_to(before)
    driver.wait(session.image_ready, lambda: session.labels is not None, ANSWER, "the image is not shown again.")
    driver.check(not window.slices.isVisible(), "The bar of slices stays with an image that is no stack.")


def _painted(driver: Driver, count: int) -> bool:
    """Whether so many slices are painted."""
    slices = (driver.window.session.record(slice_path(_FILE, number)) for number in range(1, _SLICES + 1))
    return sum(record is not None and record.painted > 0 for record in slices) == count


def _disc(number: int) -> np.ndarray:
    """Where slice ``number`` cuts the ball, (side, side) bool."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE] + 0.5 - _SIDE / 2
    inside: np.ndarray = rows**2 + columns**2 < _radius(number) ** 2
    return inside


def _radius(number: int) -> float:
    return math.sqrt(70**2 - (8 * (number - (_SLICES + 1) / 2)) ** 2)


def _paint(driver: Driver, number: int) -> None:
    """Step to a slice by key and draw around the ball there."""
    session = driver.window.session
    while (record := session.current()) is not None and record.slice < number:
        driver.key("canvas", _Key.Key_PageDown)
        _see(driver, record.slice + 1)
    take(driver, _Key.Key_O, "lasso")
    middle, radius = _SIDE / 2, _radius(number)
    turns = [2 * math.pi * step / 40 for step in range(41)]
    drag(driver, *[(middle + radius * math.cos(turn), middle + radius * math.sin(turn)) for turn in turns])
    driver.check((labels(driver) == ROUND).sum() > 1000, "The lasso paints nothing on the slice.")


def _see(driver: Driver, number: int) -> None:
    session, path = driver.window.session, slice_path(_FILE, number)
    driver.wait(
        session.image_ready,
        lambda: session.image == path and session.labels is not None,
        ANSWER,
        f"slice {number} is not shown.",
    )


STACKS: tuple[Callable[[Driver], None], ...] = (stack,)
