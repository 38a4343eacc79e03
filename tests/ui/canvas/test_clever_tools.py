"""Box, superpixels and live-wire by mouse on a picture with one clear object."""

from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt, QThreadPool
from PySide6.QtTest import QTest

from sslstudio.project.label_map import LabelMap
from sslstudio.ui import background
from sslstudio.ui.canvas.tools import box

PATIENCE = 20_000  # milliseconds
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def coin(desk):
    """A bright disc with radius 30 in the middle of noisy dark ground; ``desk.disc`` says where."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:150, :200]
    desk.disc = (rows - 75) ** 2 + (columns - 100) ** 2 < 30**2
    image = np.full((150, 200, 3), 60.0)
    image[desk.disc] = (190, 170, 90)
    image = np.clip(cv2.GaussianBlur(image, (0, 0), 1) + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    desk.map = LabelMap(np.full((150, 200), 255, np.uint8))
    desk.canvas.show_image(image, desk.map, "coin")
    return desk


def overlap(desk, label: int = 1) -> float:
    """Intersection over union of what is painted and the disc."""
    painted = desk.labels == label
    return (painted & desk.disc).sum() / (painted | desk.disc).sum()


def found(qtbot, desk) -> None:
    """Wait until what was looked for is painted."""
    qtbot.waitUntil(lambda: not desk.canvas.searches.running, timeout=PATIENCE)


def test_a_box_takes_the_object_in_it_as_one_edit(qtbot, coin):
    coin.canvas.set_tool("box")
    coin.drag((60, 35), (100, 75), (140, 115))
    found(qtbot, coin)
    assert overlap(coin) > 0.93
    assert len(coin.strokes) == 1
    coin.canvas.apply_patch(coin.strokes[0][0])
    assert (coin.labels == 255).all()


def test_a_box_with_alt_cuts_the_object_out_and_escape_forgets_the_box(qtbot, coin):
    coin.labels[:] = 2
    coin.canvas.set_tool("box")
    coin.press(60, 35)
    coin.move(140, 115)
    coin.key(Qt.Key.Key_Escape)
    coin.release(140, 115)
    assert coin.strokes == []
    coin.drag((60, 35), (140, 115), modifiers=ALT)
    found(qtbot, coin)
    assert coin.labels[75, 100] == 255
    assert coin.labels[40, 65] == 2


@pytest.mark.parametrize("ends", [((60, 35), (60, 35)), ((2, 2), (3, 3)), ((1, 1), (199, 149))])
def test_boxes_of_any_size_do_no_harm(qtbot, coin, ends):
    coin.canvas.set_tool("box")
    coin.drag(*ends)
    found(qtbot, coin)
    assert len(coin.strokes) <= 1


@pytest.fixture
def slow(coin, monkeypatch):
    """A search that ends when told to; ``slow.go`` lets it."""
    coin.go = threading.Event()

    def object_in(image, rect):
        assert coin.go.wait(PATIENCE / 1000)
        return real(image, rect)

    real = box.object_in
    monkeypatch.setattr(box, "object_in", object_in)
    coin.canvas.set_tool("box")
    yield coin
    coin.go.set()


def test_one_goes_on_painting_while_an_object_is_looked_for(qtbot, slow):
    """It gets the class of when the box was drawn; a stroke under way is not mixed with it."""
    slow.drag((60, 35), (140, 115))
    assert slow.strokes == [], "the window waits for the object"
    slow.canvas.set_tool("brush")
    slow.canvas.set_current_class(2)
    slow.press(85, 75)
    slow.go.set()
    qtbot.waitUntil(lambda: slow.canvas.searches.running[0].done, timeout=PATIENCE)
    slow.move(115, 75)
    assert slow.strokes == []
    slow.release(115, 75)
    assert not slow.canvas.searches.running
    assert len(slow.strokes) == 2
    assert slow.labels[55, 100] == 1
    for before, _ in reversed(slow.strokes):
        slow.canvas.apply_patch(before)
    assert (slow.labels == 255).all()


def test_escape_and_undo_call_a_search_off(qtbot, slow):
    slow.drag((60, 35), (140, 115))
    slow.key(Qt.Key.Key_Escape)
    assert not slow.canvas.searches.running
    slow.go.set()
    QThreadPool.globalInstance().waitForDone()
    with qtbot.waitSignal(background.run(lambda task: None).done, timeout=PATIENCE):
        pass  # its answer comes after that of the search would
    assert slow.strokes == []
    assert (slow.labels == 255).all()


def test_what_is_looked_for_is_waited_for_before_the_image_goes(qtbot, slow):
    slow.drag((60, 35), (140, 115))
    slow.go.set()
    slow.canvas.show_image(None, None)
    assert len(slow.strokes) == 1
    assert overlap(slow) > 0.93


def test_superpixels_follow_the_edge_and_a_drag_takes_all_on_its_way(coin):
    coin.canvas.set_tool("superpixels")
    coin.drag((75, 75), (125, 75))
    assert len(coin.strokes) == 1
    painted = coin.labels == 1
    assert (painted & ~coin.disc).sum() / painted.sum() < 0.12
    assert painted[75, 75:125].all()


def test_the_patch_under_the_pointer_is_outlined_before_it_is_taken(coin, qtbot):
    coin.canvas.set_tool("superpixels")
    coin.move(100, 75)
    assert len(coin.canvas.gesture.outline) >= 5, "something is shown at once, if only about what will be taken"
    qtbot.waitUntil(lambda: len(coin.canvas.gesture.outline) > 8, timeout=PATIENCE)  # with the pointer at rest
    outline = list(coin.canvas.gesture.outline)
    assert (coin.labels == 255).all()
    coin.click(100, 75)
    painted = np.argwhere(coin.labels == 1)
    assert {(int(y), int(x)) for x, y in outline} <= {(y, x) for y, x in painted.tolist()}


def test_patches_cover_the_image_without_gaps_or_overlaps():
    from sslstudio.regions.superpixels import Superpixels

    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 255, (70, 90, 3), dtype=np.uint8), (0, 0), 2)
    patches, seen = Superpixels(image, 12), np.zeros((70, 90), int)
    while (seen == 0).any():
        y, x = np.argwhere(seen == 0)[0]
        rect, inside = patches.at(x, y)
        rect.of(seen)[inside] += 1
    assert (seen == 1).all()


def corners(desk, count: int = 5) -> list[tuple[float, float]]:
    return [(100 + 30 * np.cos(a), 75 + 30 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, count, endpoint=False)]


@pytest.mark.parametrize("end", ["enter", "double click"])
def test_a_live_wire_clings_to_the_edge_between_few_clicks(coin, end):
    coin.canvas.set_tool("livewire")
    places = corners(coin)
    for place in places:
        coin.click(*place)
        coin.move(place[0] + 2, place[1] + 2)
    if end == "enter":
        coin.key(Qt.Key.Key_Return)
    else:
        QTest.mouseDClick(coin.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, coin.at(*places[-1]))
    assert overlap(coin) > 0.9, "five straight lines would reach 0.76"
    assert len(coin.strokes) == 1


def test_the_line_clings_by_itself_once_its_ways_are_known(coin, qtbot, monkeypatch):
    from sslstudio.regions import livewire

    known, mapped = threading.Event(), livewire._mapped
    monkeypatch.setattr(livewire, "_mapped", lambda *about: known.wait(PATIENCE / 1000) and mapped(*about))
    coin.canvas.set_tool("livewire")
    first, second = corners(coin)[:2]
    coin.click(*first)  # does not wait
    coin.move(*second)
    straight = list(coin.canvas.gesture.outline)
    assert len(straight) == 3, "the place that was clicked, and a straight line to the pointer"
    known.set()
    qtbot.waitUntil(lambda: len(coin.canvas.gesture.outline) > 20, timeout=PATIENCE)  # with the pointer at rest


def test_backspace_takes_a_click_back_and_escape_all(coin):
    coin.canvas.set_tool("livewire")
    for place in corners(coin):
        coin.click(*place)
    coin.click(190, 10)
    coin.key(Qt.Key.Key_Backspace)
    coin.key(Qt.Key.Key_Return)
    assert overlap(coin) > 0.9
    coin.click(20, 20)
    coin.click(60, 20)
    coin.key(Qt.Key.Key_Escape)
    coin.key(Qt.Key.Key_Return)
    assert len(coin.strokes) == 1
