"""Long imports and exports tell how far they are and can be called off; nothing half stays behind."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from sslstudio.annotations.handing_out import export_masks
from sslstudio.annotations.palette_png import import_masks
from sslstudio.project.classes import LabelClass
from sslstudio.project.project import Project
from sslstudio.ui.wiring import under_way

COUNT = 300
PATIENCE = 30_000
MASK = np.tile(np.arange(16, dtype=np.uint8) % 2, (16, 1))


class Enough(Exception):
    """Somebody called it off."""


def stop_at(number):
    def progress(done, total):
        if done >= number:
            raise Enough

    return progress


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder of many small images and one of their masks."""
    place = tmp_path_factory.mktemp("many")
    for kind, pixels in (("images", np.full((16, 16, 3), 90, np.uint8)), ("masks", MASK)):
        (place / kind).mkdir()
        for number in range(COUNT):
            Image.fromarray(pixels).save(place / kind / f"image_{number:03d}.png")
    return place


@pytest.fixture
def painted(many, tmp_path):
    """A project of which all images are painted."""
    with Project.create(tmp_path / "p", many / "images", ["a", "b"]) as project:
        import_masks(project, many / "masks")
    return tmp_path / "p.sslproj"


def press_call_off(qtbot, window):
    """Wait for figures above the canvas, and press the button beside them."""
    button = window.notice.findChild(QAbstractButton, "notice.act")
    qtbot.waitUntil(lambda: f"of {COUNT} …" in window.notice.shown() and button.isVisible(), timeout=PATIENCE)
    assert button.text() == "Call off"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def _at_once(monkeypatch):
    monkeypatch.setattr(under_way, "FIRST", 0)
    monkeypatch.setattr(under_way, "AGAIN", 0)


@pytest.mark.parametrize("kind", ["palette", "coco", "yolo"])
def test_an_export_that_is_called_off_leaves_the_folder_as_it_was(painted, tmp_path, kind):
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with Project.open(painted) as project:
        with pytest.raises(Enough):
            export_masks(project, kind, out, companions=("overlay",), progress=stop_at(COUNT // 2))
        assert [one.name for one in out.iterdir()] == ["mine.txt"]
        report = export_masks(project, kind, out)
        assert len(report.images) == COUNT
        assert all(file.exists() for file in report.files)
    assert (out / "mine.txt").read_text() == "mine"


def test_an_import_that_is_called_off_leaves_whole_masks(many, tmp_path):
    with Project.create(tmp_path / "p", many / "images", ["a", "b"]) as project:
        with pytest.raises(Enough):
            import_masks(project, many / "masks", progress=stop_at(100))
        there = project.painted()
        assert 0 < len(there) < COUNT
        for record in there:
            assert (project.label_map(record.path).labels == MASK).all()
            assert project.can_undo(record.path)


@pytest.mark.usefixtures("_at_once")
def test_an_export_is_called_off_in_the_window(open_folder, painted, qtbot, tmp_path):
    window = open_folder(painted)
    out = tmp_path / "out"
    window.masks.export("palette", out, pictures=frozenset(("coloured", "overlay")))
    press_call_off(qtbot, window)
    qtbot.waitUntil(lambda: "Called off; nothing was written." in window.notice.shown(), timeout=PATIENCE)
    assert list(out.iterdir()) == []


@pytest.mark.usefixtures("_at_once")
def test_an_import_is_called_off_in_the_window(open_folder, many, qtbot):
    window = open_folder(many / "images")
    classes = (LabelClass("a", "#999999"), LabelClass("b", "#e69f00"))
    window.session.set_classes(classes)
    window.files._take_masks(many / "masks", {}, classes)
    press_call_off(qtbot, window)
    qtbot.waitUntil(lambda: "Called off. What was taken over" in window.notice.shown(), timeout=PATIENCE)
    there = window.session.project.painted()
    assert len(there) < COUNT
    assert all((window.session.project.label_map(record.path).labels == MASK).all() for record in there)
