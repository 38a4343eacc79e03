"""Masks of other tools in the window: a preview that can be refused, an import, exports and tables."""

import json

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QPushButton

from sslstudio.project.classes import named_classes
from sslstudio.project.masks import write_mask
from sslstudio.ui import theme
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


def picture_masks(folder, *values, image="cell_1.png"):
    folder.mkdir(exist_ok=True)
    labels = np.resize(np.repeat(np.array(values, np.uint8), 48), (32, 48))
    Image.fromarray(labels).save(folder / image)
    return labels


def survey_dialog(qtbot, window, source):
    window.files.import_masks(source)
    qtbot.waitUntil(lambda: bool(window.findChildren(QDialog, "dialog.mask_values")), timeout=PATIENCE)
    return window.findChild(QDialog, "dialog.mask_values")


def words_of(dialog):
    return " ".join(one.text() for one in dialog.findChildren(QLabel))


def test_plausible_picture_masks_are_shown_first_with_what_they_would_replace(qtbot, opened, tmp_path):
    project = opened.session.project
    project.set_mask("cell_1.png", np.ones((32, 48), np.uint8))
    labels = picture_masks(tmp_path / "m", 0, 1)
    picture_masks(tmp_path / "m", 0, 1, image="nobody.png")
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(tmp_path / "m" / "cell_2.png")
    dialog = survey_dialog(qtbot, opened, tmp_path / "m")
    assert "1 image has a mask already, which would be replaced" in words_of(dialog)
    assert "nobody.png" in dialog.told.toPlainText()
    assert "5 × 5" in dialog.told.toPlainText(), "what cannot come in is told before, too"
    assert (project.label_map("cell_1.png").labels == 1).all(), "nothing was asked, so nothing is changed"
    assert [combo.currentText() for combo in dialog.combos] == ["background", "object"]
    dialog.findChild(QPushButton, "mask_values.take").click()
    qtbot.waitUntil(lambda: "Took over 1 mask. 1 replaced" in opened.notice.shown(), timeout=PATIENCE)
    assert (project.label_map("cell_1.png").labels == labels).all()


def test_values_are_asked_about_in_a_project_without_classes(qtbot, opened, tmp_path):
    opened.session.set_classes(())
    labels = picture_masks(tmp_path / "m", 0, 255)
    dialog = survey_dialog(qtbot, opened, tmp_path / "m")
    assert [combo.currentText() for combo in dialog.combos] == ["background", "A new class"]
    dialog.findChild(QPushButton, "mask_values.take").click()
    qtbot.waitUntil(lambda: "Took over 1 mask" in opened.notice.shown(), timeout=PATIENCE)
    assert (opened.session.project.label_map("cell_1.png").labels == (labels == 255)).all()


def choose(combo, words):
    assert combo.findText(words) >= 0, [combo.itemText(at) for at in range(combo.count())]
    combo.setCurrentIndex(combo.findText(words))
    combo.activated.emit(combo.currentIndex())


def two_kinds(folder):
    image = {"id": 1, "file_name": "cell_1.png", "height": 32, "width": 48}
    areas = [
        {"id": 1, "image_id": 1, "category_id": 4, "segmentation": [[2, 3, 12, 3, 12, 9, 2, 9]]},
        {"id": 2, "image_id": 1, "category_id": 5, "segmentation": [[20, 20, 30, 20, 30, 26, 20, 26]]},
    ]
    kinds = [{"id": 4, "name": "nucleus"}, {"id": 5, "name": "dirt"}]
    (folder / "a.json").write_text(json.dumps({"images": [image], "annotations": areas, "categories": kinds}))
    return folder / "a.json"


def test_what_classes_and_uncovered_pixels_become_is_changed_in_the_preview(qtbot, opened, tmp_path):
    opened.session.set_classes(named_classes(["background", "cell"]))
    dialog = preview(qtbot, opened, two_kinds(tmp_path))
    before = dialog.example.grab().toImage()
    choose(dialog.combos[0], "cell")
    choose(dialog.combos[1], "Leave out")
    choose(dialog.uncovered, "unpainted")
    assert dialog.example.grab().toImage() != before, "the example follows"
    dialog.findChild(QPushButton, "import_preview.take").click()
    qtbot.waitUntil(lambda: "Took over 1 mask" in opened.notice.shown(), timeout=PATIENCE)
    assert [one.name for one in opened.session.project.classes] == ["background", "cell"]
    expected = np.full((32, 48), 255, np.uint8)
    expected[3:9, 2:12] = 1
    assert (opened.session.project.label_map("cell_1.png").labels == expected).all()


def test_a_class_of_the_file_becomes_a_new_one_where_another_was_proposed(qtbot, opened, tmp_path):
    opened.session.set_classes(named_classes(["background", "Nucleus"]))
    dialog = preview(qtbot, opened, two_kinds(tmp_path))
    assert [combo.currentText() for combo in dialog.combos] == ["Nucleus", "New class “dirt”"]
    choose(dialog.combos[1], "Nucleus")
    assert dialog.mapping() == {"dirt": "Nucleus"}
    dialog.reject()


def test_the_report_of_an_import_is_there_in_full_and_can_be_copied(qtbot, opened, tmp_path):
    dialog = preview(qtbot, opened, coco(tmp_path))
    dialog.findChild(QPushButton, "import_preview.take").click()
    qtbot.waitUntil(lambda: "Took over 1 mask" in opened.notice.shown(), timeout=PATIENCE)
    opened.notice.findChild(QPushButton, "notice.act").click()
    report = opened.findChild(QDialog, "dialog.import_report")
    report.findChild(QPushButton, "import_report.copy").click()
    copied = QApplication.clipboard().text()
    assert "Images that got a mask (1)\n  cell_1.png" in copied
    assert "Masks without an image of their name (1)\n  nobody.png" in copied


def test_the_predictions_of_a_model_are_measured_where_there_are_some(qtbot, opened, tmp_path):
    project = opened.session.project
    file = project.prediction_file("cells", "cell_2.png")
    file.parent.mkdir(parents=True)
    write_mask(file, np.ones((32, 48), np.uint8), ("#999999", "#e69f00"))
    opened.actions_["file.measure"].trigger()
    dialog = opened.findChild(QDialog, "dialog.measure")
    choose(dialog.masks, "Predictions of cells")
    dialog.findChild(QPushButton, "measure.go").click()
    table = opened.findChild(QFileDialog, "dialog.table")
    table.fileSelected.emit(str(tmp_path / "t.csv"))
    table.reject()
    qtbot.waitUntil(lambda: "Measured 1 region in 1 image" in opened.notice.shown(), timeout=PATIENCE)
    assert "cell_2.png,object,1,1536" in (tmp_path / "t.csv").read_text()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_boxes_of_the_export_dialog_can_be_seen(opened, look):
    opened.actions_[f"looks.{look}"].trigger()
    opened.actions_["file.export_masks"].trigger()
    box = opened.findChild(QDialog, "dialog.export_masks").overlay
    picture = box.grab().toImage()
    edge = {picture.pixelColor(x, picture.height() // 2).name() for x in range(4)}
    assert max(theme.contrast(colour, theme.tone().window) for colour in edge) >= 3
    opened.actions_["looks.light"].trigger()
