"""The steps about painting: each tool takes one cell of the sample, its pixels are counted, and it is taken back."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.project.label_map import UNPAINTED
from sslstudio.ui.dialogs.palette import PaletteDialog
from sslstudio.ui.dialogs.shortcuts import ShortcutsDialog
from sslstudio.ui.tour.acts import ANSWER, next_image, place
from sslstudio.ui.tour.driver import LEFT, Driver
from sslstudio.ui.tour.easel import (
    ROUND,
    Cell,
    a_cell,
    brush_of,
    click,
    drag,
    draw_with_pen,
    labels,
    look_closer,
    overlap,
    press,
    take,
    taken_back,
    to_an_image_with_a_cell,
)

_Key = Qt.Key
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def brush_and_eraser(driver: Driver) -> None:
    """Round and square brush, the eraser, and background, which is something else."""
    to_an_image_with_a_cell(driver)
    cell, canvas = a_cell(driver), driver.window.canvas
    look_closer(driver, cell)
    x, y = (math.floor(value) for value in cell.middle)
    with taken_back(driver):
        take(driver, _Key.Key_B, "brush")
        larger = canvas.brush
        driver.key("canvas", _Key.Key_BracketLeft)
        side = canvas.brush
        driver.check(side < larger, "[ does not make the brush smaller.")
        click(driver, x, y)
        round_ = int((labels(driver) == ROUND).sum())
        driver.check(abs(round_ - math.pi / 4 * side**2) < 0.1 * side**2, f"A round dab has {round_} pixels.")
        driver.key("canvas", _Key.Key_B, SHIFT)
        click(driver, x, y)
        square = int((labels(driver) == ROUND).sum())
        driver.check(square == side**2, f"A square dab of {side} pixels has {square}.")
        drag(driver, (x - 30, y - 30), (x + 30, y - 30))
        driver.key("canvas", _Key.Key_E)
        click(driver, x, y)
        driver.check(labels(driver)[y, x] == UNPAINTED, "The eraser leaves something.")
        driver.key("canvas", _Key.Key_1)
        click(driver, x + 30, y - 30)
        driver.check(labels(driver)[y - 30, x + 30] == 0, "Background is not painted.")
        driver.shoot("brush-and-eraser")
        driver.key("canvas", _Key.Key_B, SHIFT)
        brush_of(driver, larger)


def brightness(driver: Driver) -> None:
    """A brush that takes only bright pixels passes over a dark nucleus."""
    cell, canvas, pixels = a_cell(driver), driver.window.canvas, driver.window.session.pixels
    assert pixels is not None
    driver.click("panel.paint.strokes.head")
    with taken_back(driver):
        take(driver, _Key.Key_B, "brush")
        driver.key("canvas", _Key.Key_T, SHIFT)
        drag(driver, (cell.box[0], cell.middle[1]), cell.middle, (cell.box[2], cell.middle[1]))
        painted, grey = labels(driver) == ROUND, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        driver.check(bool(painted.any()), "The brush takes nothing.")
        driver.check(int(grey[painted].min()) >= canvas.options.low, "It takes pixels that are too dark.")
        driver.check(not painted[tuple(math.floor(value) for value in cell.middle[::-1])], "It takes the nucleus.")
        driver.shoot("only-bright-pixels")
        driver.key("canvas", _Key.Key_T, SHIFT)
    driver.click("panel.paint.strokes.head")


def lasso(driver: Driver) -> None:
    """A cell is drawn around by free hand."""
    cell = a_cell(driver)
    with taken_back(driver):
        take(driver, _Key.Key_O, "lasso")
        drag(driver, *cell.rim(60))
        _fits(driver, cell, 0.9)
        driver.shoot("lasso")


def polygon(driver: Driver) -> None:
    """A cell is drawn around by clicks; Enter closes the line."""
    cell = a_cell(driver)
    with taken_back(driver):
        take(driver, _Key.Key_P, "polygon")
        for corner in cell.rim(10):
            click(driver, *corner)
        driver.shoot("polygon")
        driver.key("canvas", _Key.Key_Return)
        _fits(driver, cell, 0.8)


def live_wire(driver: Driver) -> None:
    """A line that clings to the edge between few clicks."""
    cell = a_cell(driver)
    with taken_back(driver):
        take(driver, _Key.Key_I, "livewire")
        for corner in cell.rim(6):
            click(driver, *corner)
        driver.check(len(driver.window.canvas.gesture.outline) > 40, "The line does not follow the image.")  # type: ignore[union-attr]
        driver.shoot("live-wire")
        driver.key("canvas", _Key.Key_Return)
        _fits(driver, cell, 0.7)


def wand(driver: Driver) -> None:
    """Dragging the wand takes more, and shows it at once."""
    cell, canvas = a_cell(driver), driver.window.canvas
    with taken_back(driver):
        take(driver, _Key.Key_W, "wand")
        before, start = canvas.options.tolerance, place(driver, *cell.middle)
        press(driver, [start])
        few = int((labels(driver) == ROUND).sum())
        press(driver, [start, start + QPointF(45, 0)])
        more = int((labels(driver) == ROUND).sum())
        driver.check(0 < few < more, f"The wand takes {few} pixels, then {more}.")
        driver.shoot("wand")
        QTest.mouseRelease(canvas, LEFT, pos=(start + QPointF(45, 0)).toPoint())
        driver.check(canvas.options.tolerance == before + 15, "The tolerance does not stay.")
        driver.check(int((labels(driver) == ROUND).sum()) >= more, "Letting go takes less.")
    driver.window.tools.change(tolerance=before)


def superpixels(driver: Driver) -> None:
    """Patches that follow the edges in the image."""
    cell = a_cell(driver)
    with taken_back(driver):
        take(driver, _Key.Key_U, "superpixels")
        drag(driver, cell.middle, (cell.middle[0] + 3, cell.middle[1] + 3))
        painted = labels(driver) == ROUND
        driver.check(painted.sum() > 50, "No patch is taken.")
        within = float((painted & cell.inside).sum() / painted.sum())
        driver.check(within > 0.6, f"Only {within:.0%} of the patches lie in the cell.")
        driver.shoot("superpixels")


def box(driver: Driver) -> None:
    """A box around a cell finds the cell, beside the window."""
    cell, canvas = a_cell(driver), driver.window.canvas
    left, top, right, bottom = cell.box
    with taken_back(driver):
        take(driver, _Key.Key_G, "box")
        drag(driver, (left - 6, top - 6), cell.middle, (right + 6, bottom + 6))
        driver.wait(canvas.stroke_finished, lambda: not canvas.searches.running, ANSWER, "no object is found.")
        _fits(driver, cell, 0.6)
        driver.shoot("object-in-a-box")


def similar_regions(driver: Driver) -> None:
    """A click in a cell proposes what the network finds alike; the folder is searched for more; Enter takes it."""
    cell, canvas, window = a_cell(driver), driver.window.canvas, driver.window
    with taken_back(driver):
        take(driver, _Key.Key_J, "similar")
        click(driver, *cell.middle)
        driver.wait(window.session.inference.likened, lambda: canvas.offers.labels is not None, ANSWER, "no proposal.")
        before, proposed = labels(driver), canvas.offers.labels
        driver.check(proposed is not None and bool((proposed == ROUND).any()), "Nothing is proposed.")
        driver.check(not (before == ROUND).any(), "A proposal is painted before it is accepted.")
        driver.shoot("similar-regions")
        driver.key("canvas", _Key.Key_J, SHIFT)
        search = window.similar_folder.search
        assert search is not None
        driver.wait(search.ended, lambda: not search.running, 3 * ANSWER, "the search of the folder does not end.")
        driver.check(window.browser.model.row_of(window.session.image) >= 0, "The image itself is not listed.")
        driver.shoot("similar-in-the-folder")
        window.working.list_all()
        driver.key("canvas", _Key.Key_Return)
        driver.check(labels(driver)[_at(cell)] == ROUND, "What was clicked is not painted.")
        driver.check(canvas.offers.labels is None, "The proposal stays.")


def proposal(driver: Driver) -> None:
    """What holds most of the network's attention is proposed as the object; Enter takes it."""
    canvas, window = driver.window.canvas, driver.window
    with taken_back(driver):
        take(driver, _Key.Key_B, "brush")
        driver.key("canvas", _Key.Key_X, SHIFT)
        driver.wait(window.session.inference.attended, lambda: canvas.offers.labels is not None, ANSWER, "no proposal.")
        before, proposed = labels(driver), window.attention.proposal()
        assert proposed is not None
        driver.check(bool(proposed.any()), "Nothing is proposed.")
        driver.shoot("proposed-by-attention")
        driver.key("canvas", _Key.Key_Return)
        driver.check(
            np.array_equal((labels(driver) == ROUND) & (before != ROUND), proposed), "Something else is painted."
        )
        driver.check(canvas.offers.labels is None, "The proposal stays.")


def pen(driver: Driver) -> None:
    """A tablet's pen draws the broader the harder it is pressed, and its other end erases."""
    cell, canvas = a_cell(driver), driver.window.canvas
    left, top, right, _ = cell.box
    places = [(left + (right - left) * share, top - 6) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    with taken_back(driver):
        take(driver, _Key.Key_B, "brush")
        size = canvas.brush
        brush_of(driver, 12)
        before = labels(driver)
        draw_with_pen(driver, [(at, 0.1 + 0.2 * step) for step, at in enumerate(places)])
        drawn = (labels(driver) == ROUND) & (before != ROUND)
        broad = [int(drawn[:, round(x)].sum()) for x, _ in (places[1], places[3])]
        driver.check(0 < broad[0] < broad[1], f"The stroke is {broad[0]} pixels broad first and {broad[1]} later.")
        driver.shoot("pen-pressure")
        draw_with_pen(driver, [(places[2], 1.0)], eraser=True)
        x, y = places[2]
        driver.check(labels(driver)[math.floor(y), math.floor(x)] == UNPAINTED, "The pen's other end does not erase.")
        brush_of(driver, size)


def fill(driver: Driver) -> None:
    """What a line encloses is filled."""
    cell = a_cell(driver)
    with taken_back(driver):
        take(driver, _Key.Key_B, "brush")
        before = driver.window.canvas.brush
        brush_of(driver, 4)
        drag(driver, *cell.rim(60), cell.rim(60)[0])
        driver.check(labels(driver)[_at(cell)] == UNPAINTED, "The brush has filled the cell already.")
        driver.key("canvas", _Key.Key_F)
        click(driver, *cell.middle)
        brush_of(driver, before)
        driver.check(bool((labels(driver)[cell.inside] == ROUND).all()), "The cell is not filled.")
        driver.shoot("fill")


def whole_mask(driver: Driver) -> None:
    """Grow and shrink, the first within a selection; smooth, specks, holes."""
    cell, canvas = a_cell(driver), driver.window.canvas
    driver.click("panel.paint.whole.head")
    with taken_back(driver):
        take(driver, _Key.Key_O, "lasso")
        drag(driver, *cell.rim(60))
        plain = labels(driver)
        driver.key("canvas", _Key.Key_Q)
        left, top, _, bottom = cell.box
        drag(driver, (left - 10, top - 10), (cell.middle[0], bottom + 9))
        half = canvas.pen.selection
        driver.key("canvas", _Key.Key_Period)
        changed = labels(driver) != plain
        driver.check(bool(changed.any()), "Grow changes nothing.")
        driver.check(not changed[:, half.right :].any(), "Grow leaves the selection.")
        driver.shoot("grow-in-a-selection")
        driver.key("canvas", _Key.Key_Escape)
        for name, key in (("shrink", _Key.Key_Comma), ("specks", _Key.Key_K), ("holes", _Key.Key_F)):
            _shape(driver, cell, name, key)
    driver.click("panel.paint.whole.head")


def what_strokes_change(driver: Driver) -> None:
    """A locked class stays, so does what is painted where only the unpainted may change; a hidden one is not seen."""
    cell, canvas = a_cell(driver), driver.window.canvas
    across = ((cell.box[0] - 8, cell.middle[1]), (cell.box[2] + 8, cell.middle[1]))
    with taken_back(driver):
        take(driver, _Key.Key_O, "lasso")
        drag(driver, *cell.rim(60))
        kept = labels(driver) == ROUND
        for key, name in ((_Key.Key_L, "locked"), (_Key.Key_U, "only-unpainted")):
            driver.key("canvas", key, SHIFT)
            driver.key("canvas", _Key.Key_B)
            driver.key("canvas", _Key.Key_3)
            drag(driver, *across)
            driver.check(bool((labels(driver)[kept] == ROUND).all()), f"A {name} class is painted over.")
            driver.check(bool((labels(driver) == 2).any()), "Nothing is painted.")
            driver.shoot(name)
            driver.key("canvas", _Key.Key_2)
            for _ in range(1 if key == _Key.Key_L else 2):
                driver.key("canvas", key, SHIFT)
            driver.check(canvas.options.changeable() is None, f"{name} does not end.")
        seen = _seen(driver, cell)
        driver.key("canvas", _Key.Key_H, SHIFT)
        driver.check(not np.array_equal(_seen(driver, cell), seen), "The class is still seen.")
        driver.shoot("hidden")
        driver.key("canvas", _Key.Key_H, SHIFT)


def copy_previous(driver: Driver) -> None:
    """The mask of the image before is painted on the next one of its size."""
    cell, session = a_cell(driver), driver.window.session
    with taken_back(driver):
        take(driver, _Key.Key_O, "lasso")
        drag(driver, *cell.rim(60))
        mask, first = labels(driver), session.image
        driver.key("canvas", _Key.Key_D)
        next_image(driver, first)
        with taken_back(driver):
            driver.key("canvas", _Key.Key_C)
            driver.check(np.array_equal(labels(driver), mask), "The mask is another.")
            driver.shoot("copy-previous-mask")
        second = session.image
        driver.key("canvas", _Key.Key_A)
        next_image(driver, second)
    driver.key("canvas", _Key.Key_0, CTRL)


def keys_and_commands(driver: Driver) -> None:
    """Two actions with one key are told; a command is found by letters."""
    driver.key("canvas", _Key.Key_F1)
    dialog = next(one for one in driver.window.findChildren(ShortcutsDialog) if one.isVisible())
    dialog.fields["paint.wand"].setFocus()
    QTest.keyClick(dialog.fields["paint.wand"], _Key.Key_B)
    driver.check("“Brush” and “Magic wand”" in dialog.note.text(), "The conflict is not told.")
    driver.check(not dialog.keep.isEnabled(), "Keys with a conflict can be kept.")
    driver.shoot("shortcuts", dialog)
    dialog.reject()
    driver.key("canvas", _Key.Key_K, CTRL)
    palette = next(one for one in QApplication.topLevelWidgets() if isinstance(one, PaletteDialog) and one.isVisible())
    QTest.keyClicks(palette.line, "lass")
    driver.shoot("commands", palette)
    QTest.keyClick(palette.line, _Key.Key_Return)
    driver.check(driver.window.canvas.tool == "lasso", "The command is not done.")
    driver.key("canvas", _Key.Key_B)


PAINTING_TOOLS: tuple[Callable[[Driver], None], ...] = (
    brush_and_eraser,
    brightness,
    lasso,
    polygon,
    live_wire,
    wand,
    superpixels,
    box,
    similar_regions,
    proposal,
    pen,
    fill,
    whole_mask,
    what_strokes_change,
    copy_previous,
    keys_and_commands,
)


def _fits(driver: Driver, cell: Cell, least: float) -> None:
    share = overlap(driver, cell)
    driver.check(share > least, f"What is painted has an IoU of {share:.2f} with the cell.")


def _at(cell: Cell) -> tuple[int, int]:
    """Row and column of its middle."""
    return math.floor(cell.middle[1]), math.floor(cell.middle[0])


def _shape(driver: Driver, cell: Cell, name: str, key: Qt.Key) -> None:
    """Shrink; or make a speck or a hole, and have it away."""
    before = labels(driver)
    if name == "shrink":
        driver.key("canvas", key)
        driver.check((labels(driver) == ROUND).sum() < (before == ROUND).sum(), "Shrink changes nothing.")
        driver.key("canvas", _Key.Key_M, SHIFT)
        driver.shoot("shrink-and-smooth")
        return
    size = driver.window.canvas.brush
    driver.key("canvas", _Key.Key_B if name == "specks" else _Key.Key_E)
    brush_of(driver, 4)
    click(driver, *((cell.box[0] - 8, cell.box[1] - 8) if name == "specks" else cell.middle))
    driver.check(not np.array_equal(labels(driver), before), f"There are no {name}.")
    driver.key("canvas", key, SHIFT if name == "holes" else Qt.KeyboardModifier.NoModifier)
    driver.check(np.array_equal(labels(driver), before), f"The {name} are still there.")
    brush_of(driver, size)
    driver.shoot(name)


def _seen(driver: Driver, cell: Cell) -> np.ndarray:
    """The colours of the canvas over the middle of a cell."""
    canvas = driver.window.canvas
    centre, picture = place(driver, *cell.middle).toPoint(), canvas.grab().toImage()
    return np.array([picture.pixelColor(centre.x() + x, centre.y()).getRgb() for x in range(-4, 5)])
