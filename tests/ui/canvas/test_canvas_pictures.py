"""What people see: colours, outlines, predictions, heat, and that mending a part equals drawing the whole."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QImage

from sslstudio.project.classes import LabelClass

GREY = (60, 60, 60)


def tinted(colour: str, share: float) -> tuple[int, ...]:
    parts = QColor(colour).getRgb()[:3]
    return tuple(round(60 * (1 - share) + part * share) for part in parts)


def pixels(picture: QImage) -> np.ndarray:
    picture = picture.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.width(), 4)[..., :3].copy()


def test_a_class_tints_the_image_at_45_percent_with_an_opaque_outline(desk):
    desk.drag((60, 60), (120, 60))
    desk.away()
    assert desk.colour(90, 60) == pytest.approx(tinted("#e69f00", 0.45), abs=2)
    assert desk.colour(20, 20) == GREY, "unpainted shows nothing"
    top = desk.canvas.widget_points((90, np.nonzero(desk.labels[:, 90] == 1)[0][0]))[0]
    edge = desk.canvas.grab().toImage().pixelColor(int(top.x()), int(top.y())).getRgb()[:3]
    assert edge == pytest.approx(tinted("#e69f00", 0.9), abs=3)


def test_opacity_and_hiding_act_at_once(desk):
    desk.drag((60, 60), (120, 60))
    desk.away()
    desk.canvas.set_overlay_opacity(0.8)
    assert desk.colour(90, 60) == pytest.approx(tinted("#e69f00", 0.8), abs=2)
    desk.canvas.set_masks_visible(False)
    assert desk.colour(90, 60) == GREY


def test_background_is_a_faint_hatch_or_nothing(desk):
    desk.labels[20:130, 20:180] = 0
    desk.canvas.show_image(desk.image, desk.map)
    desk.away()
    top_left, bottom_right = desk.at(40, 40), desk.at(160, 110)

    def different() -> float:
        part = pixels(desk.canvas.grab().toImage())[top_left.y() : bottom_right.y(), top_left.x() : bottom_right.x()]
        return float((part != 60).any(axis=2).mean())

    assert 0.08 < different() < 0.2
    desk.canvas.set_background_hatch(False)
    assert different() == 0


def test_the_mask_lies_exactly_on_the_image_at_any_zoom(canvas, desk):
    """A mask painted where the image is white is tinted where the image is white, to the pixel."""
    random = np.random.default_rng(1)
    squares = np.kron(random.integers(0, 2, (15, 20)), np.ones((10, 10), int)).astype(np.uint8)
    image = np.repeat(squares[..., None] * 200, 3, axis=2)
    desk.map.labels[...] = np.where(squares, 2, 255)
    canvas.show_image(image, desk.map)
    canvas.set_overlay_opacity(1.0)
    desk.away()
    for zoom in (1.0, 1.37, 2.0, 5.3, 17.9):
        canvas.set_view(canvas.viewport.zoomed(zoom, 313.3, 217.7))
        seen = pixels(canvas.grab().toImage())
        assert not (seen == 200).all(axis=2).any(), f"white shows beside its mask at {zoom}"
        assert (seen == 0).all(axis=2).any()


@pytest.mark.parametrize("zoom", [0.31, 0.5, 0.77, 1.0, 1.9, 6.0])
def test_mending_a_part_equals_drawing_the_whole(canvas, desk, zoom):
    desk.image[...] = np.random.default_rng(2).integers(0, 255, desk.image.shape)
    canvas.show_image(desk.image, desk.map)
    canvas.set_view(canvas.viewport.zoomed(zoom, 320.4, 240.2))
    for index, stroke in enumerate((((80, 60), (120, 90)), ((130, 60), (90, 80)), ((95, 75), (105, 75)))):
        canvas.set_current_class(index)
        desk.drag(*stroke)
        canvas.grab()
    desk.away()
    mended = pixels(canvas.grab().toImage())
    canvas.set_overlay_opacity(0.2)
    canvas.set_overlay_opacity(0.45)
    assert np.array_equal(mended, pixels(canvas.grab().toImage()))


def test_a_prediction_lies_under_what_is_painted(desk):
    desk.drag((60, 60), (120, 60))
    prediction = np.full(desk.labels.shape, 2, np.uint8)
    desk.canvas.set_prediction(prediction, "over")
    desk.away()
    assert desk.colour(90, 60) == pytest.approx(tinted("#e69f00", 0.45), abs=2)
    assert desk.colour(90, 120) == pytest.approx(tinted("#56b4e9", 0.45 * 0.7), abs=2)
    desk.canvas.set_prediction_visible(False)
    assert desk.colour(90, 120) == GREY


def test_beside_shows_the_prediction_at_the_right_and_both_can_be_painted_on(canvas, desk):
    canvas.set_prediction(np.full((75, 100), 2, np.uint8), "beside")
    left, right = canvas.widget_points((100.5, 75.5))
    assert right.x() - left.x() == pytest.approx(canvas.width() / 2, abs=2)
    picture = canvas.grab().toImage()
    assert picture.pixelColor(left.toPoint()).getRgb()[:3] == GREY
    assert picture.pixelColor(right.toPoint()).getRgb()[:3] == pytest.approx(tinted("#56b4e9", 0.45 * 0.7), abs=2)
    assert canvas.image_point(left) == pytest.approx((100.5, 75.5))
    assert canvas.image_point(right) == pytest.approx((100.5, 75.5))


def test_the_swipe_divider_is_dragged(canvas, desk):
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    canvas.set_prediction(np.full(desk.labels.shape, 2, np.uint8), "swipe")
    desk.away()
    assert desk.colour(60, 100) == GREY
    assert desk.colour(140, 100) != GREY
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(320, 50))
    QTest.mouseMove(canvas, QPoint(560, 50))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(560, 50))
    desk.away()
    assert desk.colour(140, 100) == GREY
    assert desk.strokes == []


def test_heat_colours_the_image_and_goes_away(desk):
    heat = np.zeros((14, 14), np.float32)
    heat[:, 7:] = 1
    desk.canvas.set_heat(heat)
    desk.away()
    cold, hot = desk.colour(20, 75), desk.colour(180, 75)
    assert sum(hot) > sum(cold) + 200
    desk.canvas.set_heat(None)
    assert desk.colour(180, 75) == GREY


def test_labels_are_only_outlined_while_heat_is_shown(desk):
    desk.away()
    bare = desk.colour(100, 75)
    desk.canvas.set_prediction(np.ones((15, 20), np.uint8))
    tinted = desk.colour(100, 75)
    assert tinted != bare
    desk.canvas.set_heat(np.zeros((3, 3)))
    heated = desk.colour(100, 75)
    desk.canvas.set_prediction(None)
    assert desk.colour(100, 75) == heated
    desk.canvas.set_prediction(np.ones((15, 20), np.uint8))
    desk.canvas.set_heat(None)
    assert desk.colour(100, 75) == tinted


def test_the_live_overlay_fades_in(qtbot, desk):
    canvas = desk.canvas
    desk.away()
    canvas.set_live_overlay(np.full((15, 20), 2, np.uint8))
    first = desk.colour(100, 75)
    qtbot.waitSignal(canvas._fade.finished, timeout=3000).wait()
    last = desk.colour(100, 75)
    assert last == pytest.approx(tinted("#56b4e9", 0.45 * 0.7), abs=2)
    assert abs(first[2] - 60) < abs(last[2] - 60)


def test_without_an_image_a_quiet_text_stands_on_neutral_grey(canvas):
    canvas.set_message("Open a folder of images to begin.")
    seen = pixels(canvas.grab().toImage())
    assert (seen[0, 0] == seen[0, 0, 0]).all()
    assert (seen[220:260] > 200).any()


def test_another_image_drops_what_belonged_to_the_first(desk):
    desk.canvas.set_prediction(np.full(desk.labels.shape, 2, np.uint8), "over")
    desk.canvas.set_heat(np.ones((3, 3)))
    desk.canvas.show_image(desk.image, desk.map, "two")
    desk.away()
    assert desk.colour(100, 75) == GREY


def test_a_mask_of_another_size_is_refused(desk):
    with pytest.raises(ValueError, match="does not fit"):
        desk.canvas.show_image(desk.image[:100], desk.map)


def test_the_brushs_outline_has_the_brushs_size(desk):
    desk.canvas.set_brush(40)
    desk.away()
    plain = pixels(desk.canvas.grab().toImage())
    desk.move(100, 75)
    ring = (pixels(desk.canvas.grab().toImage()) != plain).any(axis=2)
    rows, columns = np.nonzero(ring)
    wide = 40 * desk.canvas.zoom
    assert columns.max() - columns.min() == pytest.approx(wide, abs=5)
    assert rows.max() - rows.min() == pytest.approx(wide, abs=5)
    desk.away()
    assert np.array_equal(pixels(desk.canvas.grab().toImage()), plain), "and leaves no trace"


def test_the_screen_itself_is_mended_where_it_must_be(desk, qtbot):
    """What was repainted piece by piece while drawing equals one repaint of everything."""
    desk.image[...] = np.random.default_rng(3).integers(0, 255, desk.image.shape)
    desk.canvas.show_image(desk.image, desk.map)
    desk.canvas.repaint()
    for brush, stroke in ((30, ((20, 20), (150, 90), (60, 130))), (3, ((40, 20), (180, 140)))):
        desk.canvas.set_brush(brush)
        desk.drag(*stroke)
    desk.canvas.apply_patch(desk.strokes[-1][0])
    desk.away()
    whole = pixels(desk.canvas.grab().toImage())

    def on_screen() -> np.ndarray:
        return pixels(desk.canvas.screen().grabWindow(desk.canvas.winId()).toImage())

    qtbot.waitUntil(lambda: np.array_equal(on_screen(), whole), timeout=2000)
    assert (whole != 110).any()


SHARP = """
import numpy as np
from PySide6.QtWidgets import QApplication
from sslstudio.project.classes import LabelClass
from sslstudio.project.label_map import LabelMap
from sslstudio.ui.canvas import Canvas

app = QApplication([])
canvas = Canvas()
canvas.set_classes([LabelClass("a", "#ff0000")])
canvas.set_overlay_opacity(1.0)
canvas.resize(300, 200)
labels = np.full((100, 100), 255, np.uint8)
labels[::2, ::2] = 0
canvas.show_image(np.zeros((100, 100, 3), np.uint8), LabelMap(labels))
canvas.zoom_actual()
picture = canvas.grab().toImage()
left, top = (round(part) for part in canvas.viewport.to_device(0, 0))
red = [[picture.pixelColor(left + x, top + y).red() for x in range(100)] for y in range(100)]
assert np.array_equal(np.array(red) == 255, labels == 0), "not one screen pixel per image pixel"
place = canvas.widget_points((50, 50))[0]
assert canvas.image_point(place) == (50, 50) and (place.x(), place.y()) == (150, 100)
"""


@pytest.mark.parametrize("ratio", ["1", "1.5", "2"])
def test_high_density_screens_show_every_pixel_of_the_image(ratio):
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": ratio}
    done = subprocess.run([sys.executable, "-c", SHARP], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["background", "Hintergrund"])
@pytest.mark.parametrize("colour", ["#000000", "#999999", "#ffffff"])
@pytest.mark.parametrize("ground", [3, 70, 128, 190, 250])
def test_background_can_be_seen_on_any_image(desk, name, colour, ground):
    desk.image[...] = ground
    desk.canvas.set_classes((LabelClass(name, colour), LabelClass("nucleus", "#e69f00")))
    desk.labels[20:130, 20:180] = 0
    desk.canvas.show_image(desk.image, desk.map)
    desk.away()
    top_left, bottom_right = desk.at(40, 40), desk.at(160, 110)
    part = pixels(desk.canvas.grab().toImage())[top_left.y() : bottom_right.y(), top_left.x() : bottom_right.x()]
    assert 0.08 < float((np.abs(part.mean(axis=2) - ground) > 20).mean()) < 0.2
