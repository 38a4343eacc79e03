"""Attention as a tool of painting: the network proposes the object, Enter takes it; from a real inference process."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox

from .test_tools import key, stored

SHIFT = Qt.KeyboardModifier.ShiftModifier
ANSWER = 120_000  # milliseconds; another process starts


@pytest.mark.timeout(180)
def test_the_object_is_proposed_and_taken_in_the_paint_step(qtbot, opened):
    opened.go_to_step("paint")
    section = opened.panels["paint"].attention
    key(opened, Qt.Key.Key_X, SHIFT)
    qtbot.waitUntil(lambda: opened.canvas.offers.open, timeout=ANSWER)
    opened.drawing.draw()
    assert opened.actions_["paint.propose"].isChecked()
    box = opened.findChild(QCheckBox, "panel.paint.attention.propose")
    assert box.isChecked()
    assert section.untrained.isVisible()
    assert "has learned nothing yet" in section.untrained.text()
    where = opened.attention.proposal()
    assert 0 < where.sum() < where.size
    opened.canvas.setFocus()
    QTest.keyClick(opened.canvas, Qt.Key.Key_Return)
    assert np.array_equal(stored(opened) == opened.canvas.current_class, where)
    assert not opened.actions_["paint.propose"].isChecked()
    opened.actions_["edit.undo"].trigger()
    assert (stored(opened) == 255).all()
    opened.go_to_step("images")  # its panel has no such section
    opened.canvas.setFocus()
    QTest.keyClick(opened, Qt.Key.Key_T)
    assert "has learned nothing yet" in opened.notice.shown()
