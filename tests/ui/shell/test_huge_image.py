"""A huge image in the real window: opened, moved, zoomed, painted, undone, closed, opened again, byte for byte."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from sslstudio.images import huge, limits
from sslstudio.images.huge_picture import HugePicture
from sslstudio.project.masks import read_mask
from sslstudio.project.sparse_labels import SparseLabels
from sslstudio.ui.panels.similar_rows import how_used

SIDE = 2600


@pytest.fixture
def lowered(monkeypatch):
    """What happens to 900 megapixels happens to 7."""
    monkeypatch.setattr(limits, "HUGE_PIXELS", 1_000_000)
    monkeypatch.setattr(huge, "OVERVIEW", 200)


@pytest.fixture
def folder(tmp_path):
    images = tmp_path / "slides"
    images.mkdir()
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    pixels = np.stack([rows / SIDE * 255, columns / SIDE * 255, np.full_like(rows, 90)], axis=2).astype(np.uint8)
    pixels[1000:1400, 1000:1400] = (250, 20, 20)
    tifffile.imwrite(images / "slide.tif", pixels, tile=(256, 256), compression="zlib", photometric="rgb")
    return images, pixels


def drag(canvas, *places):
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=places[-1])


def shown(canvas):
    """What is seen of the image, (h, w, 3), without mask."""
    image = canvas.grab().toImage().convertToFormat(canvas.grab().toImage().Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).copy()


def widget_place(canvas, x, y) -> QPoint:
    return canvas.widget_points((x, y))[0].toPoint()


def test_a_huge_image_is_opened_painted_and_found_again(lowered, folder, open_folder, qtbot, tmp_path):
    images, pixels = folder
    window = open_folder(images)
    session, canvas = window.session, window.canvas
    assert isinstance(session.picture, HugePicture)
    assert isinstance(session.labels.labels, SparseLabels)
    image = session.picture.image
    qtbot.waitUntil(lambda: image.whole, timeout=20_000)

    # near: the pixels that are seen are those of the file, once they are here
    canvas.zoom_actual()
    canvas.centre_on(1200, 1200)
    qtbot.waitUntil(lambda: image.cache.idle, timeout=20_000)
    canvas.set_tool("pan")
    qtbot.waitUntil(lambda: (shown(canvas)[canvas.height() // 2, canvas.width() // 2] == (250, 20, 20)).all())
    x, y = (int(v) for v in canvas.image_point(QPointF(50, 60)))
    assert np.abs(shown(canvas)[60, 50].astype(int) - pixels[y, x]).max() <= 1
    assert session.picture.value_at(1200, 1200) == (250, 20, 20)

    # far: never blank
    canvas.zoom_fit()
    middle = shown(canvas)[canvas.height() // 2, canvas.width() // 2].astype(int)
    assert np.abs(middle - (250, 20, 20)).max() < 40
    canvas.minimap.set_wanted(True)

    # strokes: over all of it from afar, and near
    window.painting.choose_class(1)
    canvas.set_tool("brush")
    canvas.set_brush(300)
    drag(canvas, *(widget_place(canvas, at, at) for at in (200, 1300, 2400)))
    assert session.labels.labels[1300, 1300] == 1
    assert session.labels.labels[200, 2400] == 255
    after_brush = session.labels.labels[:, :]
    canvas.set_tool("fill")
    drag(canvas, widget_place(canvas, 2200, 300))
    assert session.labels.labels[300, 2200] == 1
    after_fill = session.labels.labels[:, :]
    window.painting.undo()
    assert np.array_equal(session.labels.labels[:, :], after_brush)
    window.painting.redo()
    assert np.array_equal(session.labels.labels[:, :], after_fill)
    canvas.set_tool("lasso")
    window.painting.choose_class(0)
    canvas.set_tool("lasso")
    drag(canvas, *(widget_place(canvas, *at) for at in ((600, 400), (1800, 500), (1500, 2000), (700, 1500))))
    assert session.labels.labels[700, 1100] == 0
    window.painting.choose_class(1)
    canvas.set_tool("wand")
    drag(canvas, widget_place(canvas, 1200, 1200))
    canvas.finish_stroke()
    final = session.labels.labels[:, :]
    assert (final[1000:1400, 1000:1400] == 1).all()
    assert final[990, 1100] == 0

    # closed, and opened again
    project, path = session.project.path, session.image
    session.close()
    assert np.array_equal(read_mask(project / "masks" / f"{path}.png"), final)
    window = open_folder(project)
    assert np.array_equal(window.session.labels.labels[:, :], final)
    assert window.session.picture.image.whole  # halvings were kept
    window.painting.undo()
    window.painting.undo()
    assert np.array_equal(window.session.labels.labels[:, :], after_fill)


def test_tools_say_where_they_end_on_a_huge_image(lowered, folder, open_folder, qtbot, monkeypatch):
    for module in ("sslstudio.ui.canvas.pen", "sslstudio.ui.wiring.tools", "sslstudio.ui.canvas.tools.box"):
        monkeypatch.setattr(f"{module}.BOUND", 600)
    window = open_folder(folder[0])
    session, canvas = window.session, window.canvas
    canvas.zoom_fit()
    told = []
    canvas.searches.bounded.connect(lambda: told.append(1))
    window.painting.choose_class(1)
    canvas.set_tool("fill")
    drag(canvas, widget_place(canvas, 500, 500))
    labels = session.labels.labels[:, :]
    assert (labels[210:790, 210:790] == 1).all()
    assert (labels == 1).sum() == 600 * 600
    assert len(told) == 1
    canvas.set_tool("box")
    drag(canvas, widget_place(canvas, 100, 100), widget_place(canvas, 2000, 2000))
    canvas.finish_stroke()
    assert len(told) == 2
    window.actions_["paint.grow"].trigger()
    canvas.finish_stroke()
    assert np.array_equal(session.labels.labels[:, :], labels)
    assert "so large" in window.notice.shown()


def test_similar_regions_say_that_what_is_in_view_is_too_large(lowered, folder, open_folder, monkeypatch):
    monkeypatch.setattr("sslstudio.ui.wiring.similar.BOUND", 600)
    window = open_folder(folder[0])
    window.canvas.zoom_fit()
    window.actions_["paint.similar"].trigger()
    drag(window.canvas, widget_place(window.canvas, 1200, 1200))
    state = window.similar.state()
    assert "Zoom in to 600 × 600 pixels" in state.problem
    assert not state.begun
    assert not state.busy


def test_what_is_alike_in_view_of_a_huge_image_is_taken(lowered, folder, open_folder, qtbot):
    window = open_folder(folder[0])
    canvas = window.canvas
    window.painting.choose_class(1)
    canvas.zoom_actual()
    canvas.centre_on(1200, 1000)
    window.actions_["paint.similar"].trigger()
    seen = canvas.sight().seen
    assert seen.left > 0
    drag(canvas, widget_place(canvas, 1200, 1100))
    qtbot.waitUntil(lambda: canvas.offers.pyramid is not None, timeout=200_000)  # the process loads torch
    assert "in view when you began" in how_used(window.similar.state())
    proposed = canvas.offers.pyramid.base
    assert isinstance(proposed, SparseLabels)
    red = proposed[1050:1200, 1100:1300] == 1
    assert red.mean() > 0.6, "the square that was pointed at"
    canvas.finish_gesture()
    qtbot.waitUntil(lambda: window.session.can_undo(), timeout=20_000)
    painted = window.session.labels.labels[:, :] == 1
    assert painted[1050:1200, 1100:1300].mean() > 0.6
    outside = painted.copy()
    seen.of(outside)[:] = False
    assert not outside.any()
    window.painting.undo()
    assert (window.session.labels.labels[:, :] == 255).all()


def test_the_mask_of_the_huge_image_before_is_copied(lowered, folder, open_folder, qtbot):
    images, _ = folder
    (images / "slide_2.tif").write_bytes((images / "slide.tif").read_bytes())
    window = open_folder(images)
    window.painting.choose_class(1)
    window.canvas.zoom_fit()
    window.canvas.set_tool("brush")
    window.canvas.set_brush(300)
    drag(window.canvas, *(widget_place(window.canvas, at, at) for at in (200, 1300, 2400)))
    painted = window.session.labels.labels[:, :]
    window.session.go_to("slide_2.tif")
    qtbot.waitUntil(lambda: window.session.image == "slide_2.tif" and window.session.labels is not None)
    window.actions_["paint.copy"].trigger()
    assert (painted == 1).sum() > 100_000
    assert np.array_equal(window.session.labels.labels[:, :], painted)


@pytest.mark.slow
def test_thirty_thousand_pixels_square_stay_below_one_and_a_half_gigabytes(tmp_path):
    script = Path(__file__).with_name("huge_window.py")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    print(figures)
    assert figures["same"]
    assert figures["painted"] > 1_000_000
    assert figures["peak_mb"] < 1500
