"""Masks of other tools in the window: a preview that can be refused, an import, exports and tables."""

import json

import numpy as np
import pytest
from PySide6.QtWidgets import QDialog, QPushButton

from sslstudio.ui.main_window import MainWindow

PATIENCE = 20_000


@pytest.fixture
def opened(qtbot, image_folder):
    window = MainWindow()
    qtbot.addWidget(window)
    window.show()
    window.files.open(image_folder)
    qtbot.waitUntil(lambda: window.session.labels is not None and window.session.checking < 0, timeout=PATIENCE)
    yield window
    window.close()


def coco(folder, name="cell_1.png"):
    image = {"id": 1, "file_name": name, "height": 32, "width": 48}
    area = {"id": 1, "image_id": 1, "category_id": 4, "segmentation": [[2, 3, 12, 3, 12, 9, 2, 9]]}
    strange = {"id": 2, "file_name": "nobody.png", "height": 32, "width": 48}
    document = {"images": [image, strange], "annotations": [area], "categories": [{"id": 4, "name": "nucleus"}]}
    (folder / "a.json").write_text(json.dumps(document))
    return folder / "a.json"


def preview(qtbot, window, file):
    window.files.import_masks(file)
    qtbot.waitUntil(lambda: bool(window.findChildren(QDialog, "dialog.import_preview")), timeout=PATIENCE)
    return window.findChild(QDialog, "dialog.import_preview")


def test_a_coco_file_is_shown_first_and_then_taken_over(qtbot, opened, tmp_path):
    dialog = preview(qtbot, opened, coco(tmp_path))
    assert "nobody.png" in dialog.told.toPlainText()
    assert not opened.session.project.painted()
    dialog.findChild(QPushButton, "import_preview.take").click()
    qtbot.waitUntil(lambda: "Took over 1 mask" in opened.notice.shown(), timeout=PATIENCE)
    assert [one.name for one in opened.session.project.classes] == ["background", "nucleus"]
    labels = opened.session.project.label_map("cell_1.png").labels
    assert labels.sum() == labels[3:9, 2:12].sum() == 60


def test_a_preview_that_is_closed_changes_nothing(qtbot, opened, tmp_path):
    before = opened.session.project.classes
    dialog = preview(qtbot, opened, coco(tmp_path))
    dialog.findChild(QPushButton, "import_preview.cancel").click()
    assert not opened.session.project.painted()
    assert opened.session.project.classes == before


def test_masks_are_written_in_the_format_that_was_chosen(qtbot, opened, tmp_path):
    opened.session.project.set_mask("cell_1.png", np.ones((32, 48), np.uint8))
    opened.actions_["file.export_masks"].trigger()
    dialog = opened.findChild(QDialog, "dialog.export_masks")
    dialog.format.setCurrentIndex(dialog.format.findData("voc"))
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.findChild(QPushButton, "export_masks.go").click()
    assert chosen.args == ["voc", "", frozenset({"coloured"})]
    qtbot.waitUntil(lambda: bool(opened.findChildren(QDialog, "dialog.export_folder")), timeout=PATIENCE)
    opened.findChild(QDialog, "dialog.export_folder").reject()
    opened.masks.export("voc", tmp_path / "out", "", frozenset({"coloured"}))
    qtbot.waitUntil(lambda: "Wrote 1 mask" in opened.notice.shown(), timeout=PATIENCE)
    assert (tmp_path / "out/SegmentationClass/cell_1.png").is_file()
    assert (tmp_path / "out/coloured/cell_1.png").is_file()


def test_areas_and_counts_are_written(qtbot, opened, tmp_path):
    opened.session.project.set_mask("cell_1.png", np.ones((32, 48), np.uint8))
    opened.masks.measure(tmp_path / "t.csv")
    qtbot.waitUntil(lambda: "Measured 1 region in 1 image" in opened.notice.shown(), timeout=PATIENCE)
    assert "cell_1.png,object,1,1536" in (tmp_path / "t.csv").read_text()
