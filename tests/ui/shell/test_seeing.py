"""Contrast, channels, minimap, scale bar and differences in the real window, on real files; asserted on pixels."""

import hashlib

import numpy as np
import pytest
import tifffile
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QColorDialog

from sslstudio.project.classes import LabelClass
from sslstudio.ui import theme
from tests.ui.shell.conftest import PATIENCE

LEFT = Qt.MouseButton.LeftButton
SIDE = 64


@pytest.fixture
def trade(tmp_path):
    """A folder of what microscopes and satellites make: 16-bit, float, five bands, colour."""
    folder = tmp_path / "trade"
    folder.mkdir()
    ramp = np.linspace(1000, 3000, SIDE * SIDE).reshape(SIDE, SIDE).astype(np.uint16)
    about = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5}
    tifffile.imwrite(folder / "a_sixteen.ome.tif", ramp, metadata=about)
    tifffile.imwrite(folder / "b_brighter.tif", ramp + 30000)
    tifffile.imwrite(folder / "c_float.tif", (ramp / 1e5).astype(np.float32))
    bands = np.stack([np.full((SIDE, SIDE), 10 * at, np.uint8) for at in range(1, 6)])
    tifffile.imwrite(folder / "d_five.tif", bands, photometric="minisblack", planarconfig="separate")
    colours = np.zeros((SIDE, SIDE, 3), np.uint8)
    colours[:32, :32], colours[:32, 32:], colours[32:] = (200, 0, 0), (0, 100, 0), (40, 40, 40)
    Image.fromarray(colours).save(folder / "e_colour.png")
    return folder


@pytest.fixture
def easel(qtbot, open_folder, trade):
    """The window on that folder, in Paint, with the card of the view."""
    window = open_folder(trade)
    window.session.set_classes([LabelClass("background", "#999999"), LabelClass("cell", "#e69f00")])
    window.go_to_step("paint")
    window.actions_["view.look"].setChecked(True)
    return Easel(qtbot, window)


class Easel:
    """Short words for what a person does and sees."""

    def __init__(self, qtbot, window):
        self.qtbot, self.window, self.canvas, self.card = qtbot, window, window.canvas, window.view_card

    def go(self, name):
        path = next(record.path for record in self.window.session.records if record.path.startswith(name))
        self.window.painting.go_to(path)
        self.qtbot.waitUntil(lambda: self.canvas.key == path, timeout=PATIENCE)

    def at(self, x, y):
        """The colour on the canvas over a pixel of the image; the card would lie over it."""
        place = self.canvas.widget_points((x + 0.5, y + 0.5))[0].toPoint()
        self.card.lower()
        self.card.hide()
        colour = self.canvas.grab().toImage().pixelColor(place).getRgb()[:3]
        if self.window.actions_["view.look"].isChecked():
            self.card.show()
        return colour

    def press(self, name):
        self.qtbot.mouseClick(self.window.findChild(QAbstractButton, name), LEFT)

    def key(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        self.canvas.setFocus()
        self.qtbot.keyClick(self.canvas, key, modifiers)

    def type(self, field, text):
        field.setFocus()
        field.selectAll()
        self.qtbot.keyClicks(field, text)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    def choose(self, combo, text):
        combo.setCurrentIndex(combo.findText(text))
        combo.activated.emit(combo.currentIndex())


def test_16_bit_and_float_are_never_black(easel):
    for name in ("a_", "b_", "c_"):
        easel.go(name)
        assert easel.at(32, 32)[0] == pytest.approx(128, abs=4), name
        assert easel.at(2, 2)[0] < 20
        assert easel.at(61, 61)[0] > 235


def test_a_handle_of_the_histogram_sets_the_window(easel):
    easel.go("a_")
    view = easel.card.histogram
    start, end = QPoint(round(view.x_of(view._state.low)), 40), QPoint(round(view.x_of(2000)), 40)
    QTest.mousePress(view, LEFT, pos=start)
    QTest.mouseMove(view, QPoint((start.x() + end.x()) // 2, 40))
    QTest.mouseMove(view, end)
    QTest.mouseRelease(view, LEFT, pos=end)
    assert easel.card.low.value() == pytest.approx(2000, abs=12)
    assert easel.card.contrast.currentText() == "By hand"
    assert easel.at(32, 20)[0] == 0
    assert easel.at(61, 61)[0] > 235


def test_the_window_is_typed_too_and_gamma_bends_it(easel):
    easel.go("a_")
    easel.type(easel.card.low, "1000")
    easel.type(easel.card.high, "5000")
    assert easel.at(32, 32)[0] == pytest.approx(255 * 1008 / 4000, abs=3)
    easel.card.gamma.slider.setValue(-43)  # 5 ** -0.43 = 0.5
    assert easel.at(32, 32)[0] == pytest.approx(255 * (1008 / 4000) ** 0.5, abs=4)
    easel.press("view.reset")
    assert easel.at(32, 32)[0] == pytest.approx(128, abs=4)


def test_one_window_for_the_folder_makes_images_comparable(easel):
    easel.go("a_")
    easel.choose(easel.card.contrast, "Automatic, whole folder")
    easel.qtbot.waitUntil(lambda: easel.card.high.value() > 30000, timeout=PATIENCE)
    assert easel.at(61, 61)[0] < 25, "dark beside the other one"
    easel.go("b_")
    assert easel.at(2, 2)[0] > 220
    easel.press("view.auto")
    assert easel.at(32, 32)[0] == pytest.approx(128, abs=4), "each image by itself again"


def test_settings_of_one_image_stay_with_it_and_survive_a_restart(easel, open_folder, trade):
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in trade.glob("*.*")}
    easel.go("a_")
    easel.press("view.only")
    easel.type(easel.card.low, "2900")
    easel.go("b_")
    assert easel.at(32, 32)[0] == pytest.approx(128, abs=4), "another image is as it was"
    assert not easel.card.only.isChecked()
    easel.type(easel.card.high, "60000")
    project = easel.window.session.project.path
    easel.window.session.close()
    open_folder(project)
    easel.window.actions_["view.look"].setChecked(True)
    easel.go("a_")
    assert easel.card.only.isChecked()
    assert easel.card.low.value() == 2900
    assert easel.at(32, 32)[0] == 0
    easel.go("b_")
    assert easel.card.high.value() == 60000
    easel.go("a_")
    easel.press("view.only")
    assert easel.at(32, 32)[0] < 20, "the folder's window again"
    assert easel.card.high.value() == 60000
    now = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in trade.glob("*.*")}
    assert now == files, "originals are never touched"


def test_any_three_of_five_bands_are_red_green_and_blue(easel):
    easel.go("d_")
    assert easel.at(32, 32) == (10, 20, 30)
    for combo, band in zip(easel.card.channels.bands, ("5", "1", "4"), strict=True):
        easel.choose(combo, band)
    assert easel.at(32, 32) == (50, 10, 40)
    assert [check.isChecked() for check in easel.card.channels.checks] == [True, False, False, True, True]


def test_channels_go_off_and_on_and_take_colours(easel):
    easel.go("e_")
    assert easel.at(8, 8) == (200, 0, 0)
    easel.press("view.channels.1")
    assert easel.at(8, 8) == (0, 0, 0)
    assert easel.at(48, 8) == (0, 100, 0)
    easel.press("view.channels.2.colour")
    chooser = easel.window.findChild(QColorDialog, "view.channels.chooser")
    chooser.colorSelected.emit("#ff00ff")
    chooser.reject()
    assert easel.at(48, 8) == (100, 0, 100)
    easel.key(Qt.Key.Key_V, Qt.KeyboardModifier.ShiftModifier)
    assert easel.at(48, 8) == (0, 100, 0)


def test_what_networks_get_does_not_change_and_tools_go_by_what_is_seen(easel):
    easel.go("a_")
    before = easel.window.session.pixels.copy()
    easel.type(easel.card.low, "1990")
    easel.type(easel.card.high, "2010")
    assert np.array_equal(easel.window.session.pixels, before)
    easel.qtbot.waitUntil(lambda: easel.canvas.pen.image[10, 10, 0] == 0, timeout=PATIENCE)
    assert easel.canvas.pen.image[50, 50].tolist() == [255, 255, 255]
    assert "training" in easel.card.auto.toolTip()


def test_the_value_under_the_pointer_is_the_files(easel):
    for name, value in (("a_", "= 1011"), ("c_", "= 0.01011"), ("d_", "= 10 20 30 40 50"), ("e_", "= 200 0 0")):
        easel.go(name)
        place = easel.canvas.widget_points((24.5, 0.5))[0].toPoint()
        QTest.mouseMove(easel.canvas, place + QPoint(3, 3))
        QTest.mouseMove(easel.canvas, place)
        assert easel.window.status.place.text().endswith(value), name
        assert "unpainted" in easel.window.status.place.text()


def test_the_predicted_class_is_told_beside_the_painted_one(easel):
    easel.go("e_")
    found = np.full((SIDE // 2, SIDE // 2), 255, np.uint8)  # models may answer at half the size
    found[:, : SIDE // 4] = 1
    easel.canvas.set_prediction(found)
    easel.canvas.set_prediction_visible(True)

    def told(x, y):
        place = easel.canvas.widget_points((x + 0.5, y + 0.5))[0].toPoint()
        QTest.mouseMove(easel.canvas, place + QPoint(3, 3))
        QTest.mouseMove(easel.canvas, place)
        return easel.window.status.place.text()

    assert told(10, 40).startswith("unpainted, predicted cell   x 10  y 40 = 40")
    assert told(50, 40).startswith("unpainted, predicted nothing   x 50")
    easel.canvas.set_prediction_visible(False)
    assert told(10, 40).startswith("unpainted   x 10")
    easel.canvas.set_live_overlay(found)
    assert told(10, 40).startswith("unpainted, predicted cell")


def drag_right(easel, right, down):
    """Drag the right button over the image in steps, as a hand does."""
    button, start = Qt.MouseButton.RightButton, easel.canvas.rect().center()
    QTest.mousePress(easel.canvas, button, pos=start)
    for step in (1, 2, 3, 4):
        QTest.mouseMove(easel.canvas, start + QPoint(right * step // 4, down * step // 4))
    QTest.mouseRelease(easel.canvas, button, pos=start + QPoint(right, down))


def test_the_right_button_drags_contrast_and_brightness(easel):
    easel.go("a_")
    picture = easel.window.session.picture
    low, high = easel.window.seeing._windows(picture)[0]
    width = high - low
    drag_right(easel, 200, 0)
    assert easel.window.seeing._windows(picture)[0] == pytest.approx((low + width / 4, high - width / 4), abs=1)
    assert easel.at(32, 5)[0] == 0, "what was dark is black with twice the contrast"
    drag_right(easel, -200, 0)
    before = easel.at(32, 32)[0]
    drag_right(easel, 0, -50)
    assert easel.window.seeing._windows(picture)[0] == pytest.approx((low - width / 4, high - width / 4), abs=1)
    assert easel.at(32, 32)[0] > before + 40, "up is brighter"
    assert easel.window.session.project.painted() == []


def test_a_right_click_still_takes_the_class_up(easel):
    easel.go("e_")
    easel.canvas.set_current_class(1)
    easel.key(Qt.Key.Key_F)
    easel.qtbot.mouseClick(easel.canvas, LEFT, pos=easel.canvas.rect().center())
    easel.canvas.set_current_class(0)
    shades = easel.window.seeing.shades_for(easel.window.session.picture)
    drag_right(easel, 2, 1)  # a click that trembles
    assert easel.canvas.current_class == 1
    assert easel.window.seeing.shades_for(easel.window.session.picture) == shades


def test_enlarged_pixels_are_sharp_or_smooth(easel):
    easel.go("e_")
    easel.canvas.set_view(easel.canvas.viewport.zoomed(16, 300, 300))
    easel.canvas.centre_on(32, 16)
    edge = easel.canvas.widget_points((32, 16))[0].toPoint()

    def colours():
        easel.card.hide()
        picture = easel.canvas.grab().toImage()
        return {picture.pixelColor(edge + QPoint(x, 0)).red() for x in range(-12, 12)}

    assert colours() == {0, 22, 200}, "with a faint line between two pixels"
    easel.press("view.grid.check")
    assert colours() == {0, 200}
    easel.press("view.smooth.check")
    assert len(colours()) > 6


def test_masks_are_filled_or_outlined(easel):
    easel.go("e_")
    easel.canvas.set_current_class(1)
    easel.canvas.set_brush(20)
    easel.window.actions_["view.look"].setChecked(False)
    place = easel.canvas.widget_points((16, 48))[0].toPoint()
    QTest.mouseClick(easel.canvas, LEFT, pos=place)
    QTest.mouseMove(easel.canvas, QPoint(2, 2))
    assert easel.at(16, 48) != (40, 40, 40)
    easel.key(Qt.Key.Key_O, Qt.KeyboardModifier.ShiftModifier)
    assert easel.at(16, 48) == (40, 40, 40)
    rows = np.nonzero(easel.window.session.labels.labels[:, 16] == 1)[0]
    top = easel.canvas.widget_points((16.5, rows[0]))[0]
    picture = easel.canvas.grab().toImage()
    assert picture.pixelColor(int(top.x()), int(top.y())).red() > 150, "the outline is there"


def test_the_minimap_appears_when_zoomed_in_and_moves_the_view(easel):
    easel.go("a_")
    easel.window.actions_["view.look"].setChecked(False)
    minimap = easel.canvas.minimap
    assert not minimap.isVisible()
    easel.canvas.set_view(easel.canvas.viewport.zoomed(40, 300, 300))
    assert minimap.isVisible()
    picture = minimap.grab().toImage()
    middle = picture.pixelColor(picture.width() // 2, round(0.75 * picture.height())).red()
    assert middle == pytest.approx(191, abs=12), "it shows the image in its contrast"
    QTest.mouseClick(minimap, LEFT, pos=QPoint(10, minimap.height() - 10))
    seen = easel.canvas.sight().seen
    assert seen.left < 16
    assert seen.bottom > 48
    assert minimap.seen().contains(QPointF(12, minimap.height() - 14))
    QTest.mousePress(minimap, LEFT, pos=QPoint(10, 10))
    QTest.mouseMove(minimap, QPoint(minimap.width() - 10, 10))
    QTest.mouseRelease(minimap, LEFT, pos=QPoint(minimap.width() - 10, 10))
    assert easel.canvas.sight().seen.right > 48
    assert easel.canvas.sight().seen.top < 16
    assert (easel.window.session.labels.labels == 255).all(), "nothing was painted"
    easel.key(Qt.Key.Key_N)
    assert not minimap.isVisible()
    easel.key(Qt.Key.Key_N)
    easel.canvas.zoom_fit()
    assert not minimap.isVisible()


def test_a_stroke_that_comes_near_is_not_hidden_by_the_minimap(easel):
    easel.go("a_")
    easel.canvas.set_view(easel.canvas.viewport.zoomed(40, 300, 300))
    easel.canvas.set_brush(3)
    minimap = easel.canvas.minimap
    corner = minimap.geometry().topLeft()
    QTest.mousePress(easel.canvas, LEFT, pos=corner - QPoint(80, 80))
    assert minimap.isVisible()
    QTest.mouseMove(easel.canvas, corner + QPoint(10, 10))
    assert not minimap.isVisible()
    QTest.mouseRelease(easel.canvas, LEFT, pos=corner + QPoint(10, 10))
    assert minimap.isVisible()


def test_the_scale_bar_is_as_long_as_it_says(easel):
    easel.go("a_")
    easel.canvas.set_view(easel.canvas.viewport.zoomed(8, 0, 0))

    def bar():
        picture = easel.canvas.grab().toImage()
        y = picture.height() - 18
        return sum(picture.pixelColor(x, y).getRgb()[:3] == (255, 255, 255) for x in range(8, 200))

    easel.card.hide()
    assert bar() == pytest.approx(10 / 0.5 * 8, abs=2), "10 µm at 0.5 µm a pixel"
    easel.key(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    assert bar() == 0
    easel.key(Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    easel.go("c_")
    assert bar() == 0, "this file does not know"
    easel.window.actions_["view.look"].setChecked(False)
    easel.window.actions_["view.look"].setChecked(True)
    assert not easel.card.switches["view.scale_bar"].isEnabled()


def test_differences_are_striped_and_go_when_they_are_mended(easel):
    easel.go("e_")
    window = easel.window
    window.actions_["view.look"].setChecked(False)
    window.session.labels.labels[:] = 0
    window.session.labels.labels[:, :8] = 255
    found = np.zeros((SIDE, SIDE), np.uint8)
    found[:, 56:] = 1
    found[:, :4] = 1
    window.go_to_step("review")
    window.review.prediction = found
    window.review.draw_prediction()

    def stripes(x):
        picture = easel.canvas.grab().toImage()
        places = [easel.canvas.widget_points((x + 0.5, y + 0.5))[0].toPoint() for y in range(36, 60)]
        colours = [picture.pixelColor(place).getRgb()[:3] for place in places]
        return sum(red > 200 and green < 80 for red, green, _ in colours)

    assert stripes(60) == 0
    easel.key(Qt.Key.Key_R, Qt.KeyboardModifier.ShiftModifier)
    assert stripes(60) > 4
    assert stripes(30) == 0, "where they agree"
    assert stripes(2) == 0, "where nothing is painted nothing is judged"
    easel.canvas.set_tool("brush")
    easel.canvas.set_current_class(1)
    easel.canvas.set_brush(8)
    line = [easel.canvas.widget_points((60.5, y))[0].toPoint() for y in (34, 62)]
    QTest.mousePress(easel.canvas, LEFT, pos=line[0])
    QTest.mouseMove(easel.canvas, line[1])
    QTest.mouseRelease(easel.canvas, LEFT, pos=line[1])
    QTest.mouseMove(easel.canvas, QPoint(2, 2))
    assert stripes(60) == 0, "painted as the model says"
    easel.key(Qt.Key.Key_Y)
    assert easel.canvas.split == "beside"
    easel.key(Qt.Key.Key_Y)
    assert easel.canvas.split == "swipe"


def test_the_card_stays_within_the_canvas_and_covers_nothing_else(easel):
    window = easel.window
    window.resize(1366, 768 - 40)
    easel.go("d_")
    assert easel.canvas.rect().contains(easel.card.geometry())
    assert easel.card.width() < easel.canvas.width() / 2
    easel.canvas.set_view(easel.canvas.viewport.zoomed(40, 300, 300))
    assert not easel.card.geometry().intersects(easel.canvas.minimap.geometry())
    place = easel.card.geometry().center()
    QTest.mouseClick(easel.card, LEFT, pos=easel.card.mapFrom(easel.canvas, place))
    assert (window.session.labels.labels == 255).all(), "no painting through the card"
    easel.key(Qt.Key.Key_V)
    assert not easel.card.isVisible()
    easel.key(Qt.Key.Key_V)
    assert easel.card.isVisible()
    easel.press("view.close")
    assert not window.actions_["view.look"].isChecked()


def test_the_card_says_what_to_do_where_there_is_no_image(easel):
    easel.window.session.picture = None
    easel.window.seeing._draw()
    assert easel.card.empty.isVisible()
    assert not easel.card.auto.isEnabled()
    assert "Choose an image" in easel.card.empty.text()


def test_every_control_of_the_card_has_a_name_and_is_reached_by_keyboard(easel):
    easel.go("d_")
    controls = [easel.card.low, easel.card.high, easel.card.gamma.slider, easel.card.contrast, easel.card.only]
    controls += [easel.card.target, easel.card.auto, easel.card.reset, easel.card.close_]
    controls += [*easel.card.channels.checks, *easel.card.channels.swatches, *easel.card.channels.bands]
    controls += easel.card.switches.values()
    for control in controls:
        assert control.objectName().startswith("view."), control
        assert control.accessibleName() or control.text(), control.objectName()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control.objectName()
        assert control.toolTip() or control.accessibleName(), control.objectName()


def test_dark_and_light_are_both_drawn(easel):
    easel.go("e_")

    def ground():
        return easel.card.grab().toImage().pixelColor(3, 10).lightness()

    assert ground() > 180
    theme.apply(QApplication.instance(), dark=True)
    easel.qtbot.waitUntil(lambda: ground() < 80, timeout=PATIENCE)
