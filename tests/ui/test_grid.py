"""The image list with very many images: where cells lie, keys, clicks, and thumbnails while the wheel turns."""

import time

import pytest
from PySide6.QtCore import QItemSelection, QPoint, Qt, QTimer
from PySide6.QtTest import QTest

from sslstudio.project.index import ImageRecord
from sslstudio.ui.browser import Browser

COUNT = 50_000


@pytest.fixture
def browser(qtbot, tmp_path):
    shown = Browser()
    qtbot.addWidget(shown, before_close_func=lambda b: b.close_project())
    shown.resize(240, 700)
    shown.open(tmp_path / "cache", lambda path: tmp_path / path)
    shown.set_records(
        [ImageRecord(n, f"image_{n:06d}.png", 8, 8, 3, "uint8", 1, 1, "", 0.0, False) for n in range(COUNT)]
    )
    with qtbot.waitExposed(shown):
        shown.show()
    return shown


def test_a_cell_is_found_where_it_is_drawn(browser):
    view, model = browser.view, browser.model
    for row in (0, 1, 777, COUNT - 1):
        index = model.index(row, 0)
        view.scrollTo(index)
        cell = view.visualRect(index)
        assert view.viewport().rect().contains(cell)
        assert view.indexAt(cell.center()).row() == row
        first, last = view.visible_rows()
        assert first <= row <= last
        assert view.visualRegionForSelection(QItemSelection(index, index)).boundingRect() == cell
    assert not view.indexAt(QPoint(5, view.viewport().height() * 1000)).isValid()


def test_keys_and_clicks_choose_images(browser, qtbot):
    view, chosen = browser.view, []
    browser.chosen.connect(chosen.append)
    QTest.mouseClick(
        view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(browser.model.index(3, 0)).center()
    )
    assert chosen == ["image_000003.png"]
    columns = view.columns()
    for key, row in (
        (Qt.Key.Key_Right, 4),
        (Qt.Key.Key_Down, 4 + columns),
        (Qt.Key.Key_Left, 3 + columns),
        (Qt.Key.Key_Up, 3),
        (Qt.Key.Key_End, COUNT - 1),
        (Qt.Key.Key_Down, COUNT - 1),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Up, 0),
    ):
        QTest.keyClick(view, key)
        assert view.currentIndex().row() == row, key
        assert view.viewport().rect().contains(view.visualRect(view.currentIndex()))


def test_thumbnails_are_wished_for_while_the_wheel_still_turns(browser, qtbot):
    bar = browser.view.verticalScrollBar()
    turning = QTimer(interval=5)
    turning.timeout.connect(lambda: bar.setValue(bar.value() + 30))
    qtbot.waitUntil(lambda: not browser._settle.isActive())
    turning.start()
    with qtbot.waitSignals([browser._settle.timeout] * 3, timeout=5000):
        pass
    turning.stop()


def test_a_new_list_takes_no_layout(browser):
    began = time.thread_time()
    for name in ("painted", "all"):
        browser.model.set_filter(name, "")
        browser.view.doItemsLayout()
    assert time.thread_time() - began < 0.15, "laying out each cell takes longer than that"
