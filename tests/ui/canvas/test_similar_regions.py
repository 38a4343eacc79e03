"""Similar regions on a canvas: what is pointed at, how a proposal looks, what Enter, Esc and the wheel make of it."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.regions.alike import Alike
from sslstudio.ui.proposals import changes_of

ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def asked(desk):
    """The tool in the hand, and what it asked."""
    questions: list = []
    desk.canvas.offers.alike_wanted.connect(questions.append)
    desk.canvas.set_tool("similar")
    return questions


def known(desk, likeness=None):
    """The left half is alike."""
    found = np.zeros((15, 20), np.float32) if likeness is None else likeness
    if likeness is None:
        found[:, :10] = 1
    desk.canvas.gesture.alike = Alike(found, desk.image, clinging=False)


def test_clicks_boxes_alt_and_the_right_button_make_examples(desk, asked):
    desk.press(30, 40)
    desk.release(30, 40)
    desk.drag((60, 60), (70, 75), (90, 80))
    desk.press(120, 20, modifiers=ALT)
    desk.release(120, 20)
    desk.press(150, 100, button=Qt.MouseButton.RightButton)
    desk.release(150, 100, button=Qt.MouseButton.RightButton)
    assert [len(question) for question in asked] == [1, 2, 3, 4]
    point, box, alt, right = asked[-1]
    assert (point.left, point.right, point.wanted) == (pytest.approx(30.5, abs=1), point.left, True)
    assert (box.left, box.top, box.right, box.bottom) == pytest.approx((60.5, 60.5, 90.5, 80.5), abs=1)
    assert (alt.wanted, right.wanted) == (False, False)
    assert (desk.labels == 255).all(), "nothing is painted before it is accepted"
    QTest.keyClick(desk.canvas, Qt.Key.Key_Backspace)
    assert len(asked[-1]) == 3
    assert not desk.strokes


def test_enter_takes_it_as_one_edit_within_the_limits(desk, asked):
    desk.labels[:75, :50] = 2
    desk.canvas.set_options(desk.canvas.options.__class__(locked=frozenset({2})))
    desk.press(30, 100)
    desk.release(30, 100)
    known(desk)
    QTest.keyClick(desk.canvas, Qt.Key.Key_Return)
    assert len(desk.strokes) == 1
    assert (desk.labels[:75, :50] == 2).all()
    assert (desk.labels[75:, :90] == 1).all()
    assert (desk.labels[:, 110:] == 255).all()
    assert asked[-1] == ()
    assert not desk.canvas.busy


def test_esc_drops_it_and_another_tool_too(desk, asked):
    for drop in (lambda: QTest.keyClick(desk.canvas, Qt.Key.Key_Escape), lambda: desk.canvas.set_tool("brush")):
        desk.canvas.set_tool("similar")
        desk.press(30, 40)
        desk.release(30, 40)
        known(desk)
        drop()
        assert asked[-1] == ()
        assert (desk.labels == 255).all()


def test_enter_before_the_answer_takes_nothing_and_keeps_waiting(desk, asked):
    desk.press(30, 40)
    desk.release(30, 40)
    QTest.keyClick(desk.canvas, Qt.Key.Key_Return)
    assert desk.canvas.busy
    assert (desk.labels == 255).all()


def test_shift_and_the_wheel_change_how_alike_it_must_be(desk, asked):
    before, size = desk.canvas.options.alike, desk.canvas.brush
    place = desk.at(50, 50)
    turn = QWheelEvent(
        place, desk.canvas.mapToGlobal(place), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ShiftModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(desk.canvas, turn)
    assert desk.canvas.options.alike == before - 1, "up takes more"
    assert desk.canvas.brush == size
    desk.canvas.brush_smaller(steps=3)
    assert desk.canvas.options.alike == before + 2


def test_a_proposal_is_seen_over_paint_and_gone_when_dropped(desk):
    desk.labels[:] = 2
    desk.canvas.set_masks_visible(True)
    plain = desk.canvas.grab().toImage().pixelColor(desk.at(40, 50)).getRgb()
    inside = np.zeros(desk.labels.shape, bool)
    inside[:, :100] = True
    desk.canvas.offers.show(changes_of(inside, desk.labels, 1, None))
    shown = desk.canvas.grab().toImage()
    assert shown.pixelColor(desk.at(40, 50)).getRgb() != plain
    assert shown.pixelColor(desk.at(160, 50)).getRgb() == plain
    desk.canvas.offers.show(None)
    assert desk.canvas.grab().toImage().pixelColor(desk.at(40, 50)).getRgb() == plain


def test_enter_and_esc_answer_an_open_proposal_of_no_tool(desk):
    answers: list = []
    desk.canvas.offers.answered.connect(answers.append)
    QTest.keyClick(desk.canvas, Qt.Key.Key_Return)
    desk.canvas.offers.show(np.full((15, 20), 1, np.uint8), answerable=True)
    QTest.keyClick(desk.canvas, Qt.Key.Key_Return)
    QTest.keyClick(desk.canvas, Qt.Key.Key_Escape)
    assert answers == [True, False]


def test_only_what_would_change_is_proposed():
    labels = np.array([[255, 1], [2, 0]], np.uint8)
    table = np.ones(256, bool)
    table[2] = False
    inside = np.ones((2, 2), bool)
    assert changes_of(inside, labels, 1, table).tolist() == [[1, 255], [255, 1]]
    assert changes_of(inside, np.repeat(np.repeat(labels, 50, 0), 50, 1), 1, None).tolist() == [[1, 255], [1, 1]]
