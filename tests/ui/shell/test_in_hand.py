"""What is in the hand is told in the status line, in every step."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from .test_tools import key
from .test_window import drag_across


def test_class_tool_and_size_are_told_in_every_step(opened):
    hand = opened.status.hand
    opened.painting.rename_class(1, "nucleus")
    for step in ("images", "finetune", "review"):
        opened.go_to_step(step)
        key(opened, Qt.Key.Key_B)
        key(opened, Qt.Key.Key_2)
        assert hand.isVisible()
        assert hand.text == f"nucleus · Brush · {opened.canvas.brush} px"
        assert hand.colour == opened.session.project.classes[1].colour
        drawn = hand.grab().toImage()
        assert any(drawn.pixelColor(x, drawn.height() // 2).name() == hand.colour.lower() for x in range(drawn.width()))
    before = opened.canvas.brush
    key(opened, Qt.Key.Key_BracketRight)
    assert opened.canvas.brush > before
    assert hand.text == f"nucleus · Brush · {opened.canvas.brush} px"
    key(opened, Qt.Key.Key_1)
    assert hand.text.startswith(opened.session.project.classes[0].name)


def test_the_eraser_has_no_class_and_a_hand_that_only_moves_says_nothing(opened):
    hand = opened.status.hand
    key(opened, Qt.Key.Key_E)
    assert hand.text == f"Eraser · {opened.canvas.brush} px"
    key(opened, Qt.Key.Key_W)
    name, options = opened.session.project.classes[1].name, opened.canvas.options
    assert hand.text == f"{name} · Magic wand · Tolerance {options.tolerance}"
    key(opened, Qt.Key.Key_U)
    key(opened, Qt.Key.Key_BracketRight)
    assert hand.text.endswith(f"Superpixels · Patches of {opened.canvas.options.patch} px")
    key(opened, Qt.Key.Key_M)
    assert not hand.isVisible()


def test_a_colour_that_changes_changes_there_too(opened):
    opened.painting.recolour_class(1, "#123456")
    assert opened.status.hand.colour == "#123456"
    QTest.keyClick(opened.canvas, Qt.Key.Key_B)
    drag_across(opened.canvas)
    assert opened.status.hand.isVisible()
