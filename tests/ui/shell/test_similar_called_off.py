"""“Accept in all listed images” that is called off, or fails, tells what was done; a search whose process dies ends."""

import shutil
import sys
import threading

import numpy as np
import pytest

from sslstudio import language
from sslstudio.errors import UserError
from sslstudio.queries.messages import Example
from sslstudio.ui.folder_search import FolderSearch
from sslstudio.ui.wiring import similar_folder

from .conftest import PATIENCE

IMAGES = ("cell_2.png", "cell_3.png", "cell_4.png")


@pytest.fixture
def found(opened, qtbot):
    """The window after a search that has found the left half of three other images."""
    wiring = opened.similar_folder
    likeness = np.zeros((32, 48), np.int8)
    likeness[:, :24] = 127
    search = FolderSearch(
        opened.session.file(), (Example(1, 1, 1, 1),), "resnet18", opened.session.project.path, wiring
    )
    search.ended.connect(wiring._on_ended)
    search._maps = dict.fromkeys(IMAGES, likeness)
    opened.painting.go_to("cell_1.png")
    qtbot.waitUntil(lambda: opened.session.labels is not None, timeout=PATIENCE)
    wiring.search = search
    wiring.list_found()
    assert {image for image, _ in wiring.found} == set(IMAGES)
    return opened


@pytest.fixture
def steps(monkeypatch):
    """Two turnstiles, one before each of the first two images is changed."""
    real, passed = similar_folder.take, [(threading.Event(), threading.Event()) for _ in IMAGES[:2]]

    def take(project, image, *about):
        if image in IMAGES[:2]:
            reached, go_on = passed[IMAGES.index(image)]
            reached.set()
            assert go_on.wait(20)
        return real(project, image, *about)

    monkeypatch.setattr(similar_folder, "take", take)
    yield passed
    for _, go_on in passed:
        go_on.set()


def test_what_was_done_until_it_was_called_off_is_told_and_seen(found, steps, qtbot):
    window, session = found, found.session
    window.similar_folder.accept_everywhere()
    (first, first_on), (second, second_on) = steps
    qtbot.waitUntil(first.is_set, timeout=PATIENCE)
    window.painting.go_to(IMAGES[0])
    qtbot.waitUntil(lambda: session.labels is not None, timeout=PATIENCE)
    first_on.set()
    qtbot.waitUntil(second.is_set, timeout=PATIENCE)
    window.browser.all_wanted.emit()
    second_on.set()
    told = "Called off. Taken into the masks of 2 other images"
    qtbot.waitUntil(lambda: told in window.notice.shown(), timeout=PATIENCE)
    assert not window.similar_folder.state().accepting
    qtbot.waitUntil(lambda: session.labels is not None, timeout=PATIENCE)
    assert (session.labels.labels[:, :20] == 1).all()
    qtbot.waitUntil(lambda: session.record(IMAGES[1]).painted > 0, timeout=PATIENCE)
    assert not session.project.can_undo(IMAGES[2])


def test_taking_it_back_that_the_disk_refuses_tells_so_and_can_go_on(found, qtbot, monkeypatch):
    window, project = found, found.session.project
    wiring = window.similar_folder
    wiring.accept_everywhere()
    qtbot.waitUntil(lambda: "Taken into the masks of 3" in window.notice.shown(), timeout=PATIENCE)
    real = project.undo

    def undo(path):
        if path == IMAGES[1]:
            raise UserError("The disk is full.", "Make room.")
        return real(path)

    monkeypatch.setattr(project, "undo", undo)
    wiring.take_back()
    qtbot.waitUntil(lambda: "disk is full" in window.notice.shown(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.session.record(IMAGES[0]).painted == 0, timeout=PATIENCE)
    assert wiring.state().taken == 2
    monkeypatch.setattr(project, "undo", real)
    wiring.take_back()
    qtbot.waitUntil(lambda: "Taken back in 2 images." in window.notice.shown(), timeout=PATIENCE)
    assert not any(project.can_undo(image) for image in IMAGES)


def test_a_stroke_made_while_an_image_is_looked_at_is_not_lost(found, qtbot, monkeypatch):
    window, session = found, found.session
    looked, go_on = threading.Event(), threading.Event()

    class Slow(similar_folder.Alike):
        def region(self, threshold):
            looked.set()
            assert go_on.wait(20)
            return super().region(threshold)

    monkeypatch.setattr(similar_folder, "Alike", Slow)
    window.tools.change(clinging=False)
    window.similar_folder.search._maps[IMAGES[0]][8:24, 6:18] = 0  # a hole in what is found
    window.similar_folder.accept_everywhere()
    qtbot.waitUntil(looked.is_set, timeout=PATIENCE)
    first = window.similar_folder.found[0][0]
    window.painting.go_to(first)
    qtbot.waitUntil(lambda: session.labels is not None, timeout=PATIENCE)
    window.canvas.act([(window.canvas.pen.reach(0, 0), np.zeros((32, 48), np.uint8))])
    go_on.set()
    qtbot.waitUntil(lambda: not window.similar_folder.state().accepting, timeout=PATIENCE)
    stored = session.project.label_map(first).labels
    assert (stored[10:22, 8:16] == 0).all()
    assert (stored[:6, :20] == 1).all()
    qtbot.waitUntil(
        lambda: session.labels is not None and np.array_equal(session.labels.labels, stored), timeout=PATIENCE
    )


@pytest.mark.parametrize("code", ["en", "de"])
def test_a_search_whose_process_dies_again_and_again_is_given_up(code, tmp_path, image_folder, qtbot, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # a process that ends at once
    language.choose(code)
    try:
        search = FolderSearch(image_folder / IMAGES[0], (Example(1, 1, 1, 1),), "resnet18", tmp_path)
        with qtbot.waitSignal(search.ended, timeout=PATIENCE) as ended:
            search.start((str(number), image_folder / IMAGES[0]) for number in range(9))
        assert search.done == 3
        assert ended.args[0]
    finally:
        language.choose("en")
