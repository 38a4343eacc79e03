"""Similar regions in the real window, answered by the real process: discs are taken, squares stay, one undo."""

import os
import signal

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sslstudio.ui.canvas.tools.similar import Similar

ANSWER = 200_000  # milliseconds; the process loads torch
CENTRES = ((40, 40), (150, 60), (60, 150))
NONE, ALT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier


def picture(turns=0, discs=CENTRES):
    """(200, 200, 3) uint8 with red discs and blue squares, and where the discs are."""
    y, x = np.mgrid[:200, :200]
    image = np.full((200, 200, 3), (90, 110, 90), np.uint8)
    image += np.random.default_rng(turns).integers(0, 12, image.shape, np.uint8)
    round_ = np.zeros((200, 200), bool)
    for cx, cy in discs:
        round_ |= (x - cx) ** 2 + (y - cy) ** 2 < 18**2
    for cx, cy in ((100, 100), (160, 160)):
        image[(abs(x - cx) < 14) & (abs(y - cy) < 14)] = (60, 60, 210)
    image[round_] = (200, 60, 60)
    return np.rot90(image, turns).copy(), np.rot90(round_, turns).copy()


@pytest.fixture
def discs(tmp_path, open_folder, qtbot):
    """The window on four images: three discs, three discs turned, one disc, none; ready to click."""
    folder = tmp_path / "discs"
    folder.mkdir()
    for name, made in (("a", picture()), ("b", picture(1)), ("c", picture(2, CENTRES[:1])), ("d", picture(3, ()))):
        Image.fromarray(made[0]).save(folder / f"{name}.png")
    window = open_folder(folder)
    window.go_to_step("paint")
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_J)
    assert isinstance(window.canvas.gesture, Similar)
    return window


def click(window, x, y, modifiers=NONE):
    place = window.canvas.widget_points((x + 0.5, y + 0.5))[0].toPoint()
    QTest.mouseClick(window.canvas, Qt.MouseButton.LeftButton, modifiers, place)


def wait_for_proposal(window, qtbot):
    qtbot.waitUntil(lambda: window.canvas.offers.labels is not None, timeout=ANSWER)


def overlap(labels, truth):
    painted = labels == 1
    return float((painted & truth).sum() / (painted | truth).sum())


def test_a_click_proposes_and_enter_takes_it_and_one_undo_brings_all_back(discs, qtbot):
    window, truth = discs, picture()[1]
    click(window, *CENTRES[0])
    assert window.similar.state().busy
    wait_for_proposal(window, qtbot)
    assert (window.session.labels.labels == 255).all()
    window.tools.change(alike=55)
    proposed = window.canvas.offers.labels
    assert overlap(proposed, truth) > 0.7
    few = int((proposed == 1).sum())
    window.drawing.draw()
    window.panels["paint"].tool.rows["alike"].slider.setValue(20)
    assert not window.session.inference.busy("similar"), "the slider asks nobody"
    assert int((window.canvas.offers.labels == 1).sum()) >= few
    window.tools.change(alike=55)
    window.drawing.draw()
    assert "learned nothing" in window.panels["paint"].similar.eyes.text()
    QTest.keyClick(window.canvas, Qt.Key.Key_Return)
    assert overlap(window.session.labels.labels, truth) > 0.7
    assert window.canvas.offers.labels is None
    window.actions_["edit.undo"].trigger()
    assert (window.session.labels.labels == 255).all()
    assert not window.session.can_undo()


def test_what_goes_wrong_is_said_in_the_panel_and_the_next_click_works(discs, qtbot):
    window, panel = discs, discs.panels["paint"].similar
    click(window, *CENTRES[0])
    os.kill(window.session.inference._client.pid, signal.SIGKILL)  # in the midst: it cannot have answered yet
    qtbot.waitUntil(lambda: "ended unexpectedly" in panel.note.text(), timeout=ANSWER)
    assert not window.canvas.busy
    window.session.file().write_bytes(b"no image any more")
    click(window, *CENTRES[1])
    qtbot.waitUntil(lambda: "a.png" in panel.note.text(), timeout=ANSWER)
    assert (window.session.labels.labels == 255).all()


def test_the_folder_is_searched_and_listed_and_each_image_proposes_its_own(discs, qtbot):
    window, search = discs, discs.similar_folder
    click(window, *CENTRES[0])
    wait_for_proposal(window, qtbot)
    window.tools.change(alike=55)
    window.drawing.draw()
    window.panels["paint"].similar.folder.click()
    assert search.state().running
    window.drawing.draw()
    window.panels["paint"].similar.folder.click()
    assert not search.state().running, "it can be called off"
    window.actions_["image.similar"].trigger()
    assert search.state().running, "and begun anew, also by its key"
    qtbot.waitUntil(lambda: search.state().done == 4, timeout=ANSWER)
    listed = [window.browser.model.record_at(row).path for row in range(window.browser.model.rowCount())]
    assert set(listed[:2]) == {"a.png", "b.png"}, "most of it first"
    assert listed[2:3] == ["c.png"]
    assert len(list((window.session.project.path / "cache" / "places").glob("*.npz"))) >= 4
    with qtbot.waitSignal(window.session.image_ready, timeout=ANSWER):
        window.painting.go_to("b.png")
    proposed = window.canvas.offers.labels
    assert proposed is not None
    assert overlap(proposed, picture(1)[1]) > 0.6
    QTest.keyClick(window.canvas, Qt.Key.Key_Return)
    assert overlap(window.session.labels.labels, picture(1)[1]) > 0.6
    window.drawing.draw()
    window.panels["paint"].similar.everywhere.click()
    qtbot.waitUntil(lambda: not search.state().accepting, timeout=ANSWER)
    project = window.session.project
    assert project.can_undo("c.png")
    window.drawing.draw()
    assert window.panels["paint"].similar.everywhere.text().startswith("Take it back in")
    window.panels["paint"].similar.everywhere.click()
    qtbot.waitUntil(lambda: not search.state().accepting, timeout=ANSWER)
    assert not project.can_undo("c.png"), "taken back, one edit in each"
    window.drawing.draw()
    window.panels["paint"].similar.everywhere.click()
    qtbot.waitUntil(lambda: not search.state().accepting, timeout=ANSWER)
    assert overlap(project.label_map("c.png").labels, picture(2, CENTRES[:1])[1]) > 0.5
    assert project.undo("c.png") is not None
    assert (project.label_map("c.png").labels == 255).all()
    assert not project.can_undo("c.png")
