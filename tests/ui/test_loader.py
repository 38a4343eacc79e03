"""Images that are read in the background."""

import sys

import pytest

from sslstudio.images import picture
from sslstudio.ui.loader import Loader


@pytest.fixture
def loader(qtbot):
    loader = Loader()
    yield loader
    loader.close()


def test_an_image_that_fails_unforeseen_keeps_no_other_waiting(qtbot, loader, image_folder, monkeypatch):
    read, bugs = picture.read_picture, []

    def failing(file, *rest):
        if file.name == "cell_1.png":
            raise ZeroDivisionError
        return read(file, *rest)

    monkeypatch.setattr(picture, "read_picture", failing)
    monkeypatch.setattr(sys, "excepthook", lambda kind, *_: bugs.append(kind))
    first, second = image_folder / "cell_1.png", image_folder / "cell_2.png"
    loader.show("cell_1.png", first, 1, [("cell_2.png", second, 1)])
    qtbot.waitUntil(lambda: bugs == [ZeroDivisionError], timeout=10_000)
    qtbot.waitUntil(lambda: ("cell_2.png", 1) in loader._kept, timeout=10_000)  # the neighbour was read ahead
    monkeypatch.setattr(picture, "read_picture", read)
    with qtbot.waitSignal(loader.loaded, timeout=10_000) as loaded:
        loader.show("cell_1.png", first, 1)
    assert loaded.args[0] == "cell_1.png"
