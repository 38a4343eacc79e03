"""The window on a real project: opening, browsing, painting, undo, steps, keys."""

import json

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QFileDialog, QLabel, QPushButton, QWidget

from sslstudio.errors import UserError
from sslstudio.project import recent
from sslstudio.project.classes import LabelClass, default_colour
from sslstudio.project.project import Project
from sslstudio.recipes.suggest import suggest
from sslstudio.ui.canvas.pen import TOOLS
from sslstudio.ui.panels.images import REASON

from .conftest import PATIENCE


def drag_across(canvas) -> None:
    """One stroke from left to right through the middle, as a mouse draws it."""
    middle = canvas.rect().center()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle - QPoint(60, 0))
    QTest.mouseMove(canvas, middle)
    QTest.mouseMove(canvas, middle + QPoint(60, 0))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(60, 0))


def test_a_folder_becomes_a_project_beside_it_and_nothing_in_it_changes(opened, image_folder):
    assert (image_folder.parent / "pictures.sslproj" / "project.sqlite").exists()
    assert {p.suffix for p in image_folder.rglob("*") if p.is_file()} == {".png", ".jpg"}
    assert opened.browser.model.rowCount() == 6
    assert opened.windowTitle().startswith("pictures")
    assert opened.session.image == opened.browser.model.record_at(0).path


def test_a_stroke_is_in_the_project_when_the_pen_is_lifted(qtbot, opened):
    image = opened.session.image
    drag_across(opened.canvas)
    stored = opened.session.project.label_map(image).labels
    assert (stored == 1).any()
    assert np.array_equal(stored, opened.session.labels.labels)
    assert opened.status.saved.text() == "saved ✓"
    qtbot.waitUntil(lambda: opened.browser.model.record_at(0).painted > 0)


def test_undo_and_redo_by_key_change_mask_and_project(qtbot, opened):
    drag_across(opened.canvas)
    painted = opened.session.labels.labels.copy()
    opened.canvas.setFocus()
    QTest.keyClick(opened, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert (opened.session.labels.labels == 255).all()
    assert (opened.session.project.label_map(opened.session.image).labels == 255).all()
    QTest.keyClick(opened, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert np.array_equal(opened.session.labels.labels, painted)


def test_painting_survives_a_restart_and_can_still_be_undone(qtbot, opened, open_folder):
    drag_across(opened.canvas)
    painted = opened.session.labels.labels.copy()
    place = opened.session.project.path
    opened.files.close_project()
    assert opened.pages.currentIndex() == 0
    open_folder(place)
    assert np.array_equal(opened.session.labels.labels, painted)
    opened.actions_["edit.undo"].trigger()
    assert (opened.session.labels.labels == 255).all()


def test_digits_and_letters_choose_class_and_tool(opened):
    opened.canvas.setFocus()
    QTest.keyClick(opened, Qt.Key.Key_1)
    assert opened.canvas.current_class == 0
    QTest.keyClick(opened, Qt.Key.Key_X)
    assert opened.canvas.current_class == 1
    QTest.keyClick(opened, Qt.Key.Key_E)
    assert opened.canvas.tool == "eraser"
    QTest.keyClick(opened, Qt.Key.Key_2)
    assert (opened.canvas.tool, opened.canvas.current_class) == ("brush", 1)
    before = opened.canvas.brush
    QTest.keyClick(opened, Qt.Key.Key_BracketRight)
    assert opened.canvas.brush > before


def test_letters_typed_into_the_search_do_not_paint(qtbot, opened):
    opened.actions_["image.search"].trigger()
    QTest.keyClicks(opened.browser.search, "deep")
    qtbot.waitUntil(lambda: opened.browser.model.rowCount() == 2)
    assert opened.canvas.tool == "brush"
    QTest.keyClicks(opened.browser.search, "xyz")
    qtbot.waitUntil(lambda: opened.browser.empty.isVisible())
    assert "deepxyz" in opened.browser.empty.text()


def test_a_and_d_go_through_the_images(qtbot, opened):
    paths = [opened.browser.model.record_at(row).path for row in range(6)]
    opened.canvas.setFocus()
    for expected in paths[1:3]:
        with qtbot.waitSignal(opened.session.image_ready, timeout=PATIENCE):
            QTest.keyClick(opened, Qt.Key.Key_D)
        assert opened.session.image == expected
        assert opened.canvas.key == expected
    with qtbot.waitSignal(opened.session.image_ready, timeout=PATIENCE):
        QTest.keyClick(opened, Qt.Key.Key_A)
    assert opened.session.image == paths[1]


def test_the_newest_image_wins(qtbot, opened):
    paths = [opened.browser.model.record_at(row).path for row in range(6)]
    for path in paths[1:]:
        opened.painting.go_to(path)
    qtbot.waitUntil(lambda: opened.session.pixels is not None, timeout=PATIENCE)
    assert opened.session.image == paths[-1] == opened.canvas.key


def test_thumbnails_come_for_what_is_visible(qtbot, opened):
    paths = [opened.browser.model.record_at(row).path for row in range(6)]
    qtbot.waitUntil(lambda: all(opened.browser.thumbnails.get(path) for path in paths), timeout=PATIENCE)


def test_filters_follow_what_is_painted(qtbot, opened):
    drag_across(opened.canvas)
    opened.browser.filter.setCurrentIndex(opened.browser.filter.findData("painted"))
    assert opened.browser.model.rowCount() == 1
    opened.browser.filter.setCurrentIndex(opened.browser.filter.findData("unpainted"))
    assert opened.browser.model.rowCount() == 5
    opened.browser.filter.setCurrentIndex(opened.browser.filter.findData("predicted"))
    assert opened.browser.empty.isVisible()


@pytest.mark.parametrize("step", ["images", "pretrain", "paint", "finetune", "review", "export"])
def test_one_click_goes_to_any_step(qtbot, opened, step):
    qtbot.mouseClick(opened.stepper.buttons[step], Qt.MouseButton.LeftButton)
    assert opened.panel_stack.currentWidget() is opened.panels[step]
    assert opened.stepper.buttons[step].isChecked()
    assert opened.stepper.buttons[step].state.sentence


def test_only_the_keyboard_leaves_a_frame_on_a_step(qtbot, opened):
    assert opened.canvas.hasFocus()  # painting keys work from the first moment
    button = opened.stepper.buttons["images"]
    QTest.mouseMove(opened.canvas)
    plain = button.grab().toImage()
    button.setFocus(Qt.FocusReason.OtherFocusReason)  # as when the widget that had it goes away
    assert button.grab().toImage() == plain
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.grab().toImage() == plain
    opened.go_to_step("paint")
    opened.panels["paint"].take.setFocus()
    opened.panels["paint"].take.hide()  # as the start button when a run starts
    assert opened.canvas.hasFocus()
    opened.go_to_step("images")
    assert button.grab().toImage() == plain
    opened.stepper.buttons["pretrain"].setFocus()
    QTest.keyClick(opened, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert button.hasFocus()
    assert button.grab().toImage() != plain


def test_the_stepper_says_what_is_missing(qtbot, opened):
    assert opened.stepper.buttons["images"].state.standing == "done"
    assert opened.stepper.buttons["finetune"].state.standing == "missing"
    drag_across(opened.canvas)
    opened.actions_["paint.class_1"].trigger()
    opened.canvas.set_brush(2)
    drag_across(opened.canvas)
    qtbot.waitUntil(lambda: opened.stepper.buttons["finetune"].state.standing == "possible")
    assert opened.stepper.buttons["paint"].state.standing == "done"


def test_accepting_a_prediction_is_an_edit_that_can_be_undone(opened):
    height, width = opened.session.labels.labels.shape
    found = np.zeros((height, width), np.uint8)
    found[: height // 2] = 1
    opened.review.prediction = found
    opened.actions_["paint.accept"].trigger()
    assert np.array_equal(opened.session.project.label_map(opened.session.image).labels, found)
    opened.actions_["edit.undo"].trigger()
    assert (opened.session.labels.labels == 255).all()


def test_classes_are_added_renamed_and_kept_while_painted(opened):
    opened.painting.add_class("crack")
    opened.painting.rename_class(1, "nucleus")
    assert [one.name for one in opened.session.project.classes] == ["background", "nucleus", "crack"]
    assert opened.actions_["paint.class_2"].text() == "nucleus"
    assert not opened.actions_["paint.class_4"].isVisible()


def test_the_overlay_can_be_made_weaker_in_every_step(opened):
    opened.go_to_step("paint")
    drag_across(opened.canvas)
    for step in ("images", "pretrain", "paint", "finetune", "review", "export"):
        opened.go_to_step(step)
        slider = opened.status.opacity
        assert slider.isVisible()
        slider.setValue(80)
        strong = opened.canvas.grab().toImage()
        slider.setValue(5)
        assert opened.canvas.grab().toImage() != strong


def test_a_file_damaged_in_its_middle_is_left_out_once_it_was_tried(qtbot, image_folder, open_folder):
    file = image_folder / "cell_2.png"
    Image.effect_noise((300, 300), 90).save(file)
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 400] = bytes(400)
    file.write_bytes(data)
    window = open_folder(image_folder)
    assert not any(record.problem for record in window.session.records)
    window.painting.go_to("cell_2.png")
    qtbot.waitUntil(lambda: bool(window.session.record("cell_2.png").problem), timeout=PATIENCE)


def names(window) -> list[str]:
    return [one.name for one in window.session.project.classes]


def test_an_unpainted_class_goes_at_once_and_what_later_ones_painted_stays(qtbot, opened):
    opened.painting.add_class("crack")
    drag_across(opened.canvas)  # with "crack", the newest
    painted = opened.session.labels.labels == 2
    opened.painting.remove_class(1)
    qtbot.waitUntil(lambda: names(opened) == ["background", "crack"], timeout=PATIENCE)
    qtbot.waitUntil(lambda: opened.session.labels is not None, timeout=PATIENCE)
    assert np.array_equal(opened.session.labels.labels == 1, painted)
    opened.actions_["edit.undo"].trigger()
    assert (opened.session.labels.labels == 255).all()
    opened.actions_["edit.redo"].trigger()
    assert np.array_equal(opened.session.labels.labels == 1, painted)


def test_a_painted_class_goes_after_a_question_that_says_what_is_lost(qtbot, opened):
    drag_across(opened.canvas)  # with "object"
    pixels = int((opened.session.labels.labels == 1).sum())
    for button, left in (("removing.keep", 2), ("removing.remove", 1)):
        opened.painting.remove_class(1)
        dialog = next(one for one in opened.findChildren(QDialog, "dialog.removing") if one.isVisible())
        assert f"{pixels} pixels of “object” in 1 image become unpainted" in dialog.findChildren(QLabel)[1].text()
        with qtbot.waitSignal(dialog.finished):
            dialog.findChild(QPushButton, button).click()
        qtbot.waitUntil(lambda left=left: len(names(opened)) == left, timeout=PATIENCE)
    qtbot.waitUntil(lambda: opened.session.labels is not None, timeout=PATIENCE)
    assert (opened.session.labels.labels == 255).all()
    qtbot.waitUntil(lambda: not opened.session.current().painted, timeout=PATIENCE)


def test_the_dialog_of_classes_removes_and_renames_together(qtbot, opened):
    opened.painting.add_class("crack")
    drag_across(opened.canvas)
    opened.painting.edit_classes()
    dialog = opened.findChild(QDialog, "dialog.classes")
    dialog._rows[1].remove.click()
    dialog._rows[1].name.setText("gap")
    assert dialog.note.text() == ""
    dialog._rows[0].remove.click()
    dialog.findChild(QPushButton, "classes.done").click()
    qtbot.waitUntil(lambda: names(opened) == ["gap"], timeout=PATIENCE)
    qtbot.waitUntil(lambda: opened.session.labels is not None, timeout=PATIENCE)
    assert set(np.unique(opened.session.labels.labels)) == {0, 255}


def test_what_an_older_model_found_is_told_in_the_classes_of_now(qtbot, opened):
    opened.painting.add_class("crack")
    project = opened.session.project
    (project.path / "models" / "m").mkdir(parents=True)
    about = {"classes": [{"name": one.name, "colour": one.colour} for one in project.classes]}
    (project.path / "models" / "m" / "model.json").write_text(json.dumps(about))
    opened.session.reread_models()
    opened.painting.remove_class(1)
    qtbot.waitUntil(lambda: len(names(opened)) == 2 and opened.session.labels is not None, timeout=PATIENCE)
    opened.review._take(np.array([[0, 1, 2]], np.uint8), 0.5)
    assert opened.review.prediction.tolist() == [[0, 255, 1]]


def test_masks_are_written_when_another_image_is_opened(qtbot, opened):
    image = opened.session.image
    drag_across(opened.canvas)
    opened.actions_["image.next"].trigger()
    qtbot.waitUntil(opened.session.project.mask_file(image).exists, timeout=PATIENCE)


def test_a_full_disk_loses_nothing(qtbot, opened, monkeypatch):
    project = opened.session.project
    real = project.add_edit
    full = UserError("The disk is full.", "Make room.")

    def refuse(*_):
        raise full

    monkeypatch.setattr(project, "add_edit", refuse)
    drag_across(opened.canvas)
    assert "disk is full" in opened.notice.shown()
    assert opened.status.saved.text() == "not saved yet"
    assert (opened.session.labels.labels == 1).any()
    assert not opened.close(), "strokes that are nowhere but here would go with the window"
    assert "stays open" in opened.notice.shown()
    monkeypatch.setattr(project, "add_edit", real)
    qtbot.waitUntil(lambda: opened.session.all_saved(), timeout=PATIENCE)
    assert (project.label_map(opened.session.image).labels == 1).any()
    assert opened.notice.shown() == ""


def test_a_mask_that_was_damaged_meanwhile_is_told_of(qtbot, opened):
    session, image = opened.session, opened.session.image
    drag_across(opened.canvas)
    session.project.save_masks()
    painted = session.labels.labels.copy()
    session.project.mask_file(image).write_bytes(b"no picture")
    session.reload_image()
    qtbot.waitUntil(lambda: session.labels is not None, timeout=PATIENCE)
    assert (session.labels.labels == painted).all()
    assert "was made anew from its strokes; nothing is lost" in opened.notice.shown()


# what can go wrong on opening -----------------------------------------------------------------------------


def test_files_that_cannot_be_used_are_listed_with_the_reason(image_folder, open_folder):
    (image_folder / "cell_0.png").write_bytes(b"")
    (image_folder / "notes.png").write_text("not an image")
    window = open_folder(image_folder)
    assert "2 of 8 files cannot be used" in window.notice.shown()
    window.notice.findChild(QPushButton, "notice.act").click()
    assert window.browser.model.rowCount() == 2
    tips = [window.browser.model.data(window.browser.model.index(row), Qt.ItemDataRole.ToolTipRole) for row in (0, 1)]
    assert all(len(tip.splitlines()) == 2 for tip in tips)
    assert not window.session.current().problem, "the first image shown must be a usable one"


def test_an_empty_folder_is_told_on_the_welcome_page(qtbot, window, tmp_path):
    (tmp_path / "nothing").mkdir()
    window.files.open(tmp_path / "nothing")
    qtbot.waitUntil(lambda: "No images" in window.welcome.notice.shown(), timeout=PATIENCE)
    assert window.session.project is None
    assert not (tmp_path / "nothing.sslproj").exists()


def test_a_folder_without_a_readable_image_says_so(tmp_path, open_folder):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"nonsense")
    window = open_folder(folder)
    assert "None of these images can be read" in window.notice.shown()


def test_a_file_that_is_left_out_has_its_whole_reason_below_its_name(qtbot, image_folder, open_folder):
    whole = (image_folder / "deep/cell_1.jpg").read_bytes()
    (image_folder / "deep" / "half.jpg").write_bytes(whole[: len(whole) // 2])
    panel = open_folder(image_folder).panels["images"]
    qtbot.waitUntil(lambda: panel.list.count() == 1, timeout=PATIENCE)
    item = panel.list.item(0)
    assert item.text() == "deep/half.jpg"
    assert item.data(REASON) == "Cut off: the end of the file is missing."
    assert item.toolTip() == "deep/half.jpg: Cut off: the end of the file is missing."


def test_a_project_that_is_open_elsewhere_names_who_has_it(qtbot, window, image_folder):
    with Project.create(image_folder.parent / "pictures.sslproj", image_folder):
        window.files.open(image_folder)
        qtbot.waitUntil(lambda: "already open" in window.welcome.notice.shown(), timeout=PATIENCE)


def test_a_damaged_project_is_repaired_and_says_what_was_saved(qtbot, window, image_folder):
    place = image_folder.parent / "pictures.sslproj"
    Project.create(place, image_folder).close()
    for file in [*(place / "backups").glob("*"), *place.glob("project.sqlite-*")]:
        file.unlink()
    (place / "project.sqlite").write_bytes(b"rubbish" * 400)
    window.files.open(place)
    qtbot.waitUntil(lambda: "was damaged and was repaired" in window.notice.shown(), timeout=PATIENCE)
    assert len(window.session.records) == 6


def test_moved_images_are_found_again_by_asking(qtbot, window, image_folder):
    place = image_folder.parent / "pictures.sslproj"
    Project.create(place, image_folder).close()
    moved = image_folder.rename(image_folder.parent / "elsewhere")
    window.files.open(place)
    qtbot.waitUntil(lambda: "are not in" in window.welcome.notice.shown(), timeout=PATIENCE)
    window.welcome.notice.findChild(QPushButton, "notice.act").click()
    dialog = window.findChild(QFileDialog, "dialog.folder")
    with qtbot.waitSignal(window.session.opened, timeout=PATIENCE):
        dialog.fileSelected.emit(str(moved))
    dialog.reject()
    assert window.session.project.images_root == moved


def test_a_dropped_folder_is_opened(qtbot, window, image_folder):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(image_folder))])
    drop = QDropEvent(
        QPointF(20, 20), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    )
    veil = window.findChild(QWidget, "veil")
    place, actions = QPoint(20, 20), Qt.DropAction.CopyAction
    enter = QDragEnterEvent(place, actions, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    for _ in range(2):  # carried over the window, out, and in again
        window.dragEnterEvent(enter)
        assert veil.isVisible()
        assert veil.geometry() == window.rect()
        assert image_folder.name in veil.words
        window.dragLeaveEvent(QDragLeaveEvent())
        assert not veil.isVisible()
    window.dragEnterEvent(enter)
    with qtbot.waitSignal(window.session.opened, timeout=PATIENCE):
        window.dropEvent(drop)
    assert not veil.isVisible()


def test_recent_projects_are_offered_next_time(qtbot, opened):
    opened.files.close_project()
    names = [
        button.text() for button in opened.welcome.findChildren(object) if button.objectName() == "recent.pictures"
    ]
    assert names == ["pictures"]


def test_a_recent_project_that_is_gone_says_so_and_leaves_the_list(qtbot, window, image_folder, tmp_path):
    for name in ("kept", "gone"):
        Project.create(tmp_path / name, image_folder).close()
        recent.remember(tmp_path / f"{name}.sslproj")
    (tmp_path / "gone.sslproj").rename(tmp_path / "elsewhere.sslproj")
    window.files.show_recent()
    kept, gone = (window.welcome.findChild(QAbstractButton, f"recent.{name}") for name in ("kept", "gone"))
    qtbot.waitUntil(lambda: kept.y() < gone.y(), timeout=PATIENCE)
    assert not kept.forget.isVisible()
    qtbot.mouseClick(gone, Qt.MouseButton.LeftButton)  # perhaps its disk is back by now
    qtbot.waitUntil(lambda: "may have been moved" in window.welcome.notice.shown(), timeout=PATIENCE)
    qtbot.mouseClick(gone.forget, Qt.MouseButton.LeftButton)
    assert [one.path.stem for one in recent.recent_projects()] == ["kept"]
    qtbot.waitUntil(lambda: window.welcome.findChild(QAbstractButton, "recent.gone") is None, timeout=PATIENCE)


def test_everything_for_painting_fits_into_1366_by_768(opened):
    classes = [LabelClass(name, default_colour(place)) for place, name in enumerate(("background", "one", "other"))]
    opened.session.set_classes(classes)
    opened.resize(1366, 768 - 40)  # the system's own bars take some
    opened.go_to_step("paint")
    assert opened.width() <= 1366
    assert opened.canvas.width() >= 640
    for button in opened.strip.children():
        if button.isWidgetType() and button.isVisible():
            assert button.geometry().bottom() <= opened.strip.height()
    panel = opened.panels["paint"]
    assert panel.verticalScrollBar().maximum() == 0
    needed = (panel.tool, panel.classes, panel.strokes, panel.whole, panel.progress, panel.go_on, panel.take)
    for tool in TOOLS:
        opened.canvas.set_tool(tool)
        opened.drawing.draw()
        assert panel.verticalScrollBar().maximum() == 0, tool
    for part in needed:
        bottom = part.mapTo(panel, part.rect().bottomLeft()).y()
        assert bottom <= panel.height(), part.objectName()
    assert opened.status.opacity.isVisible()
    assert opened.findChild(QAbstractButton, "strip.view.masks").isVisible()


def test_shape_is_remembered(qtbot, opened):
    opened.actions_["view.browser"].setChecked(False)
    assert not opened.browser.isVisible()
    opened.close()
    from sslstudio.ui.main_window import MainWindow

    again = MainWindow()
    qtbot.addWidget(again)
    assert not again.actions_["view.browser"].isChecked()


def test_a_palette_png_folder_can_be_imported(qtbot, opened, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    labels = np.zeros((32, 48), np.uint8)
    labels[:, 24:] = 1
    Image.fromarray(labels).save(masks / "cell_1.png")
    opened.files.import_masks(masks)
    asked(qtbot, opened).findChild(QPushButton, "mask_values.take").click()
    qtbot.waitUntil(lambda: "Took over" in opened.notice.shown(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: opened.session.labels is not None, timeout=PATIENCE)
    assert (opened.session.project.label_map("cell_1.png").labels == labels).all()


def black_and_white(folder) -> np.ndarray:
    """Two masks that hold 0 and 255, for cell_1 and cell_2; where they are white."""
    folder.mkdir()
    white = np.zeros((32, 48), bool)
    white[8:20, 10:30] = True
    for number in (1, 2):
        Image.fromarray(np.where(white, 255, 0).astype(np.uint8)).save(folder / f"cell_{number}.png")
    return white


def asked(qtbot, window):
    """The dialog that asks what values mean, once it is there."""
    qtbot.waitUntil(lambda: bool(window.findChildren(QDialog, "dialog.mask_values")), timeout=PATIENCE)
    return window.findChild(QDialog, "dialog.mask_values")


def test_black_and_white_masks_are_asked_about_with_a_good_first_guess(qtbot, opened, tmp_path):
    white = black_and_white(tmp_path / "masks")
    opened.files.import_masks(tmp_path / "masks")
    dialog = asked(qtbot, opened)
    assert [combo.currentText() for combo in dialog.combos] == ["background", "object"]
    before = dialog.example.grab().toImage()
    dialog.combos[1].setCurrentIndex(dialog.combos[1].findText("Unpainted"))
    dialog.combos[1].activated.emit(0)
    assert dialog.example.grab().toImage() != before, "the example follows"
    dialog.combos[1].setCurrentIndex(dialog.combos[1].findText("A new class"))
    dialog.findChild(QPushButton, "mask_values.take").click()
    qtbot.waitUntil(lambda: "Took over 2 masks" in opened.notice.shown(), timeout=PATIENCE)
    assert [one.name for one in opened.session.project.classes] == ["background", "object", "class 2"]
    assert (opened.session.project.label_map("cell_2.png").labels == np.where(white, 2, 0)).all()


def test_masks_that_are_not_imported_after_all_change_nothing(qtbot, opened, tmp_path):
    black_and_white(tmp_path / "masks")
    opened.files.import_masks(tmp_path / "masks")
    dialog = asked(qtbot, opened)
    with qtbot.waitSignal(dialog.finished):
        dialog.findChild(QPushButton, "mask_values.cancel").click()
    assert not opened.session.project.painted()
    assert len(opened.session.project.classes) == 2


def test_what_a_task_reports_arrives_in_the_windows_thread(qtbot):
    from PySide6.QtCore import QThread

    from sslstudio.ui import background

    seen = []
    here = QThread.currentThread()
    task = background.run(
        lambda task: [task.report(number) for number in range(3)],
        lambda _: seen.append(("done", QThread.currentThread() is here)),
        progressed=lambda number: seen.append((number, QThread.currentThread() is here)),
    )
    qtbot.waitUntil(lambda: len(seen) == 4)
    assert seen == [(0, True), (1, True), (2, True), ("done", True)]
    assert not task.cancelled


def test_small_settings_come_back(opened, open_folder):
    opened.painting.set_opacity(0.8)
    opened.learning.choose_preset("microscopy")
    opened.go_to_step("paint")
    place = opened.session.project.path
    opened.files.close_project()
    open_folder(place)
    assert opened.painting.opacity == 0.8
    assert opened.session.recall("preset", "") == "microscopy"
    assert opened.step == "paint"


def test_what_is_suggested_suits_the_method_that_was_chosen(opened, qtbot):
    """Rates, batch and backbone of one method do not suit another; the command line suggests anew as well."""
    opened.go_to_step("pretrain")
    form = opened.panels["pretrain"].form
    alone = form.read()
    assert (alone.method.id, alone.backbone) == ("simclr", "resnet18")
    form.method.choose("mae")
    qtbot.waitUntil(lambda: form.rows["backbone"].value() == "vit_tiny_patch16_224", timeout=PATIENCE)
    assert opened.panels["pretrain"].start.isEnabled()
    usable = len(opened.session.records)
    sizes = [(record.width, record.height) for record in opened.session.records]
    for method in ("mae", "moco_v2", "spark", "simclr"):
        form.method.choose(method)
        wanted, _ = suggest(usable, sizes, 3, "cpu", alone.minutes, alone.preset, method=method)
        qtbot.waitUntil(lambda wanted=wanted: form.read() == wanted, timeout=PATIENCE)


def test_a_backbone_that_was_chosen_stays_and_the_rest_follows_it(opened, qtbot):
    opened.go_to_step("pretrain")
    form = opened.panels["pretrain"].form
    rate = form.read().learning_rate
    form.rows["backbone"].put("vit_tiny_patch16_224")
    qtbot.waitUntil(lambda: form.read().learning_rate < rate, timeout=PATIENCE)
    form.method.choose("spark")  # cannot train it: said, and nothing is taken from the user
    assert "SparK needs a convolutional network" in form.method.misfit.text()
    assert form.rows["backbone"].value() == "vit_tiny_patch16_224"
    assert not opened.panels["pretrain"].start.isEnabled()
