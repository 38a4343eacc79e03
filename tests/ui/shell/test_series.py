"""A folder of DICOM files, one for each slice, works in the window like a stack in one file."""

import numpy as np
import pytest
from dicom_writer import write_dicom
from PIL import Image
from pydicom import uid
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetrics

from sslstudio.project.index import ImageRecord
from sslstudio.project.label_map import UNPAINTED
from sslstudio.ui.browser import fitting_caption

from .conftest import PATIENCE
from .test_slices import SHIFT, SIDE, ball, dice, key, show, shown

SLICES = 12
NAMES = [f"IM{(at * 5) % SLICES:04d}" for at in range(SLICES)]  # as slices follow one another
DAMAGED = 7


@pytest.fixture
def folder(tmp_path):
    """A ball in twelve files whose names have no order, between two plain images; pixels of one are damaged."""
    folder = tmp_path / "scan"
    folder.mkdir()
    for at, name in enumerate(NAMES, start=1):
        broken = {"frames": [b"no jpeg at all."], "syntax": uid.JPEGLosslessSV1} if at == DAMAGED else {}
        write_dicom(
            folder / name, np.where(ball(at), 200, 40).astype(np.uint16), SeriesInstanceUID="1.2.3",
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0], ImagePositionPatient=[0, 0, 3.0 * at], **broken,
        )  # fmt: skip
    for name in ("apple.png", "zebra.png"):
        Image.new("L", (SIDE, SIDE), 90).save(folder / name)
    return folder


def test_a_long_name_never_hides_which_slice_it_is(qapp):
    record = ImageRecord(1, "a/1.2.840.113619.2.55.3.dcm", 8, 8, 1, "uint16", 1, 1, "", 0.0, False, 55, 140, "1.2.3")
    metrics = QFontMetrics(qapp.font())
    shown = fitting_caption(record, metrics, metrics.horizontalAdvance("1.2.840.113619"))
    assert shown.endswith(" 55/140")
    assert shown.startswith("1.")
    assert fitting_caption(record, metrics, 1000) == "1.2.840.113619.2.55.3.dcm 55/140"


def test_the_list_follows_the_image_when_its_series_is_put_in_order(qtbot, window, tmp_path, open_folder):
    folder = tmp_path / "long"
    folder.mkdir()
    for at in range(80):
        write_dicom(
            folder / f"{79 - at:03d}", np.full((8, 8), 7, np.uint16), SeriesInstanceUID="1.2.3",
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0], ImagePositionPatient=[0, 0, 3.0 * at],
        )  # fmt: skip
    open_folder(folder)
    assert window.session.current().slice == 80
    first, last = window.browser.view.visible_rows()
    assert first <= 79 <= last
    assert first > 10


@pytest.fixture
def series(open_folder, folder):
    window = open_folder(folder)
    window.session.reload_image()
    return window


def paint(qtbot, window, number):
    path = NAMES[number - 1]
    show(qtbot, window, path)
    window.session.accept_prediction(np.where(ball(number), 1, UNPAINTED).astype(np.uint8))


def stored(window, number):
    return window.session.project.label_map(NAMES[number - 1]).labels


def test_slices_are_listed_in_order_and_stepped_through(qtbot, series):
    model = series.browser.model
    names = [model.data(model.index(row)) for row in range(model.rowCount())]
    assert names == ["apple.png", *(f"{name} {at}/{SLICES}" for at, name in enumerate(NAMES, 1)), "zebra.png"]
    show(qtbot, series, NAMES[1])
    assert series.slices.isVisible()
    assert series.slices.words.text() == f"Slice 2 of {SLICES} · none painted"
    assert f"{NAMES[1]} · slice 2 of {SLICES}" in series.status.image.text()
    key(series, Qt.Key.Key_PageDown)
    shown(qtbot, series, NAMES[2])
    key(series, Qt.Key.Key_D)
    shown(qtbot, series, NAMES[3])
    key(series, Qt.Key.Key_A)
    shown(qtbot, series, NAMES[2])
    key(series, Qt.Key.Key_PageDown, SHIFT)
    shown(qtbot, series, "zebra.png")
    assert not series.slices.isVisible()
    key(series, Qt.Key.Key_A)
    shown(qtbot, series, NAMES[-1])
    key(series, Qt.Key.Key_PageDown)
    assert series.session.image == NAMES[-1], "Page Down leaves the series"
    series.slices.slider.setValue(5)
    shown(qtbot, series, NAMES[4])
    loader = series.session._loader
    qtbot.waitUntil(lambda: {NAMES[3], NAMES[2], NAMES[5]} <= {path for path, _ in loader._kept}, timeout=PATIENCE)


def test_the_mask_of_the_slice_before_is_copied(qtbot, series):
    paint(qtbot, series, 3)
    show(qtbot, series, NAMES[3])
    series.browser.show_only([NAMES[3], "apple.png"], "two")  # the list shows others
    key(series, Qt.Key.Key_C)
    assert np.array_equal(stored(series, 4), stored(series, 3))
    show(qtbot, series, NAMES[0])
    key(series, Qt.Key.Key_C)
    assert "This is the first slice of the stack." in series.notice.shown()


def test_what_lies_between_is_filled_past_a_damaged_slice(qtbot, series):
    series.painting.go_to(NAMES[DAMAGED - 1])
    session = series.session
    qtbot.waitUntil(lambda: session.record(NAMES[DAMAGED - 1]).problem != "", timeout=PATIENCE)
    assert session.record(NAMES[DAMAGED - 1]).slice == DAMAGED
    paint(qtbot, series, 5)
    paint(qtbot, series, 9)
    assert series.slices.words.text() == f"Slice 9 of {SLICES} · 2 painted"
    show(qtbot, series, NAMES[5])
    key(series, Qt.Key.Key_I, SHIFT)
    qtbot.waitUntil(lambda: "Filled 2 slices: 6 to 8." in series.notice.shown(), timeout=PATIENCE)
    for number in (6, 8):
        assert dice(stored(series, number) == 1, ball(number)) > 0.95
    assert np.array_equal(session.labels.labels, stored(series, 6)), "the slice that is seen"


def test_a_slice_that_comes_later_takes_its_place(qtbot, series, folder):
    show(qtbot, series, NAMES[2])
    write_dicom(
        folder / "late", np.zeros((SIDE, SIDE), np.uint16), SeriesInstanceUID="1.2.3",
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0], ImagePositionPatient=[0, 0, 4.0],
    )  # fmt: skip
    series.session.refresh()
    qtbot.waitUntil(lambda: series.slices.words.text().startswith(f"Slice 4 of {SLICES + 1}"), timeout=PATIENCE)
    key(series, Qt.Key.Key_PageUp)
    key(series, Qt.Key.Key_PageUp)
    shown(qtbot, series, "late")


def test_a_folder_of_dicom_is_taken_for_what_it_is(window, folder, open_folder):
    (folder / "apple.png").unlink()
    open_folder(folder)
    assert window.panels["images"].preset.currentData() == "xray"
