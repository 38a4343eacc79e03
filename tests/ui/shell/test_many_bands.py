"""A folder of five-band TIFF files in the window: it opens, is shown, and both forms offer all bands and say why."""

import numpy as np
import pytest
from channels.bands_world import scene, write_bands, write_world
from PIL import Image

from sslstudio.images.reader import read_rgb8
from sslstudio.project.feature_sets import FeatureSet, write_features
from sslstudio.project.project import Project

from .conftest import PATIENCE


@pytest.fixture
def folder(tmp_path):
    images, _ = write_world(tmp_path, 5, 4)
    return images


def panel_of(window, step):
    """A step's panel, in sight and drawn."""
    window.go_to_step(step)
    window.drawing.draw()
    return window.panels[step]


def test_it_opens_and_the_first_three_bands_are_shown(qtbot, open_folder, folder):
    window = open_folder(folder)
    assert [record.channels for record in window.session.records] == [5] * 4
    assert not [record for record in window.session.records if record.problem]
    assert np.array_equal(window.session.pixels, read_rgb8(folder / window.session.image))
    paths = [record.path for record in window.session.records]
    qtbot.waitUntil(lambda: all(window.browser.thumbnails.get(path) for path in paths), timeout=PATIENCE)
    assert "5 channels" in panel_of(window, "images").lines.text()
    assert "16 bits" in panel_of(window, "images").lines.text()


def test_pretraining_and_fine_tuning_offer_all_bands_and_say_why(open_folder, folder, tmp_path):
    labels = np.zeros((96, 96), np.uint8)
    labels[:40] = 1
    with Project.create(tmp_path / "p", folder, ["ground", "marked"]) as project:
        for name in ("00.tif", "01.tif"):
            project.set_mask(name, labels)
    window = open_folder(tmp_path / "p.sslproj")
    for step in ("pretrain", "finetune"):
        panel = panel_of(window, step)
        assert panel.recipe().channels == 5
        assert panel.form.rows["channels"].control.toolTip()
        assert "All images have 5 channels, and the network sees every channel." in panel.reason.text()
        assert panel.reason.isVisible()


def test_a_mixed_folder_is_told_in_both_forms(qtbot, open_folder, folder):
    for n in range(4):
        Image.fromarray(np.full((50, 60 + n, 3), 40 * n, np.uint8)).save(folder / f"photo{n}.png")
    Image.fromarray(np.zeros((50, 60), np.uint8)).save(folder / "grey.png")
    window = open_folder(folder)
    for step in ("pretrain", "finetune"):
        panel = panel_of(window, step)
        assert panel.recipe().channels == 3
        assert "4 of 9 images have 5 channels and are seen as colours" in panel.reason.text()
    for n in range(10, 14):
        write_bands(folder / f"{n}.tif", scene(n, 5)[0])
    with qtbot.waitSignal(window.session.checked, check_params_cb=lambda left: left < 0, timeout=PATIENCE):
        window.session.refresh()
    for step in ("pretrain", "finetune"):
        panel = panel_of(window, step)
        assert panel.recipe().channels == 5
        assert "8 of 13 images have 5 channels" in panel.reason.text()
        assert "the other 5 images are left out" in panel.reason.text()


def test_images_that_a_network_cannot_see_are_not_taken_for_new_ones(qtbot, open_folder, folder):
    for n in range(2):
        Image.fromarray(np.full((50, 60, 3), 40 * n, np.uint8)).save(folder / f"photo{n}.png")
    window = open_folder(folder)
    images = tuple(f"{n:02d}.tif" for n in range(4))
    key, corners = window.working.chosen(), np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    found = FeatureSet(key, images, np.eye(4, dtype=np.float32), corners, np.zeros(4, np.int16), {"channels": 5})
    write_features(window.session.project.path, found)
    window.go_to_step("working")
    qtbot.waitUntil(lambda: window.working.current() is not None, timeout=PATIENCE)
    state = window.working.state()
    assert (state.images, state.looked) == (4, 4)
    with qtbot.waitSignal(window.session.image_ready, timeout=PATIENCE):
        window.painting.go_to("photo0.png")
    window.working.list_alike()
    assert "has not seen photo0.png: it sees images with 5 channels" in window.notice.shown()


def test_colour_folders_hear_nothing_of_channels(opened):
    for step in ("pretrain", "finetune"):
        panel = panel_of(opened, step)
        assert panel.recipe().channels == 3
        assert "channels" not in panel.reason.text()
    assert not opened.panels["finetune"].reason.isVisible()
