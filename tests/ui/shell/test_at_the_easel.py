"""What a painter need not mind: news that come in the middle of a stroke, and a brush that is there again tomorrow."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from sslstudio.ui.notice import Notice

from .conftest import PATIENCE


def test_news_wait_until_the_pen_is_lifted(qtbot, opened):
    canvas = opened.canvas
    middle, place = canvas.rect().center(), canvas.geometry()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    opened.tell(Notice("Pretraining is done."))
    QTest.mouseMove(canvas, middle + QPoint(30, 0))
    assert opened.notice.isHidden()
    assert canvas.geometry() == place, "the image must not move under the pen"
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(30, 0))
    qtbot.waitUntil(opened.notice.isVisible, timeout=PATIENCE)
    assert opened.notice.shown() == "Pretraining is done."


def test_a_notice_that_was_read_goes_after_the_stroke_too(qtbot, opened):
    canvas = opened.canvas
    opened.tell(Notice("Took over 10 masks.", about="import"))
    qtbot.waitUntil(opened.notice.isVisible, timeout=PATIENCE)
    middle = canvas.rect().center()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    opened.notice.solved("import")
    assert opened.notice.isVisible()
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.waitUntil(opened.notice.isHidden, timeout=PATIENCE)


def test_the_brush_is_as_large_as_it_was_when_the_project_was_closed(opened, open_folder):
    project = opened.session.project.path
    opened.canvas.set_brush(7)
    opened.files.close_project()
    opened.canvas.set_brush(40)
    open_folder(project)
    assert opened.canvas.brush == 7
