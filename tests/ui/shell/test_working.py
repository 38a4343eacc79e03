"""“Is it working?” in the real window: figures, map, lasso, images alike; the attention's proposal and its past."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sslstudio.project.feature_sets import FeatureSet, write_features
from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs import events as ev
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.request import HelpRequest, PretrainRequest
from sslstudio.ui.run_queue import kind_of

from .conftest import PATIENCE

BACKBONE = "vit_tiny_patch16_224"


@pytest.fixture
def pretrained(opened, qtbot):
    """The window on six images with a finished pretraining run that has looked at them."""
    project = opened.session.project
    asked = PretrainRequest(images_root="x", images=("a",), recipe=PretrainRecipe(backbone=BACKBONE))
    run = RunFolder.create(project.path, asked, "dino")
    for folder, about in (
        (run.checkpoints / "last", json.dumps({"name": BACKBONE})),
        (run.checkpoints / "past" / "00000001", '{"name": "x", "step": 1, "share": 0.0}'),
        (run.checkpoints / "past" / "00000040", '{"name": "x", "step": 40, "share": 0.5}'),
    ):
        folder.mkdir(parents=True)
        (folder / "encoder.json").write_text(about)
    run.append(ev.Started())
    run.append(ev.Finished(result={"steps": 80}))
    images = tuple(record.path for record in opened.session.records)
    features = np.eye(6, 8, dtype=np.float32) + 0.1
    features[4] = features[0] + 0.05
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    points = np.array([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9], [0.2, 0.1], [0.5, 0.5]], np.float32)
    row = {"title": "Directions used", "value": "5 of 6", "sentence": "Many.", "level": "good"}
    found = FeatureSet(run.id, images, features, points, np.arange(6, dtype=np.int16) % 2, {"rows": [row]})
    write_features(project.path, found)
    with qtbot.waitSignal(opened.session.queue.history_changed, timeout=PATIENCE):
        opened.session.queue.adopt(project.path)
    QTest.mouseClick(opened.panels["pretrain"].working, Qt.MouseButton.LeftButton)
    opened.go_to_step("pretrain")
    return opened


def go_there(window, qtbot):
    window.panels["pretrain"].working.click()
    assert window.step == "working"
    qtbot.waitUntil(lambda: window.working.current() is not None, timeout=PATIENCE)
    window.drawing.draw()


def test_figures_map_and_images_alike_are_one_click_away(pretrained, qtbot):
    window, panel = pretrained, pretrained.panels["working"]
    go_there(window, qtbot)
    assert window.stepper.buttons["pretrain"].isChecked()
    assert panel.figures.isVisible()
    panel.alike.click()
    listed = [window.browser.model.record_at(row).path for row in range(window.browser.model.rowCount())]
    images = window.working.current().images
    assert listed[0] == window.session.image
    assert len(listed) == 6
    if listed[0] == images[0]:
        assert listed[1] == images[4], "the most alike comes first"
    window.browser.only.click()
    assert window.browser.only.isHidden()
    panel.map_shown.click()
    assert window.stage.currentWidget() is window.map
    with qtbot.waitSignal(window.session.image_chosen, timeout=PATIENCE):
        x, y = window.map.to_widget(window.working.current().points[3][None])[0]
        QTest.mouseClick(window.map, Qt.MouseButton.LeftButton, pos=_point(x, y))
    assert window.session.image == images[3]
    window.go_to_step("paint")
    assert window.stage.currentWidget() is window.canvas


def test_what_the_lasso_holds_is_listed_and_colours_can_mean_folders_or_masks(pretrained, qtbot):
    window = pretrained
    go_there(window, qtbot)
    window.actions_["view.map"].trigger()
    window.map.selected.emit(list(window.working.current().images[:2]))
    assert window.browser.model.rowCount() == 2
    window.drawing.draw()
    assert window.panels["working"].everything.isVisible()
    window.panels["working"].everything.click()
    assert window.browser.model.rowCount() == 6
    names = [choice.label for choice in window.working.state().colours]
    assert names == ["Groups of alike images", "What is painted"]
    window.session.accept_prediction(np.ones_like(window.session.labels.labels))
    window.panels["working"].colour_chosen.emit("class")
    assert "not painted" in [name for _, name in window.map._state.legend]
    assert window.session.project.classes[1].name in [name for _, name in window.map._state.legend]


def test_the_map_can_be_coloured_by_what_another_run_finds_alike(pretrained, qtbot):
    window, project = pretrained, pretrained.session.project
    asked = PretrainRequest(images_root="x", images=("a",), recipe=PretrainRecipe(backbone=BACKBONE))
    other = RunFolder.create(project.path, asked, "mae")
    (other.checkpoints / "last").mkdir(parents=True)
    (other.checkpoints / "last" / "encoder.json").write_text(json.dumps({"name": BACKBONE}))
    other.append(ev.Started())
    other.append(ev.Finished(result={"steps": 80}))
    go_there(window, qtbot)
    first = window.working.current()
    groups = np.array([2, 2, 0, 0, 1, 1], np.int16)
    write_features(project.path, replace(first, key=other.id, clusters=groups))
    with qtbot.waitSignal(window.session.queue.history_changed, timeout=PATIENCE):
        window.session.queue.adopt(project.path)
    window.working.choose(first.key)
    key = f"group@{other.id}"
    qtbot.waitUntil(lambda: key in [choice.id for choice in window.working.state().colours], timeout=PATIENCE)
    window.actions_["view.map"].trigger()
    window.drawing.draw()
    combo = window.panels["working"].colour
    assert key in [combo.itemData(row) for row in range(combo.count())]
    window.panels["working"].colour_chosen.emit(key)
    drawn = window.map._state
    assert drawn.images == first.images
    assert drawn.words == tuple(f"Group {group + 1}" for group in groups)
    assert len(set(drawn.colours.tolist())) == 3
    assert [name for _, name in drawn.legend] == ["Group 1", "Group 2", "Group 3"]


def test_a_network_that_did_not_look_says_so(opened, qtbot):
    opened.actions_["image.alike"].trigger()
    assert opened.step == "working"
    assert any("has not looked" in notice.text for notice in opened.notice.notices)


def test_a_proposal_becomes_mask_and_undo_takes_it_back(pretrained, qtbot):
    window, section = pretrained, pretrained.panels["pretrain"].attention
    window.actions_["view.attention"].setChecked(True)
    shape = window.session.labels.labels.shape
    mass = np.ones((4, 2, 3), np.float32)
    mass[:, 0, 0], mass[:, 0, 1] = 0.3, 0.55
    window.attention._on_maps(str(window.session.file()), 1 - mass, mass)
    window.drawing.draw()
    section.propose.click()
    window.drawing.draw()
    where = window.attention.proposal()
    assert where is not None
    assert where.shape == shape
    assert where[2, 2]
    assert not where[-1].any()
    smaller = where.sum()
    section.share.slider.setValue(90)
    assert window.attention.proposal().sum() > smaller
    window.drawing.draw()
    painted = int(window.attention.proposal().sum())
    assert section.accept.text() == f"Accept as {window.session.project.classes[1].name}"
    assert int((window.canvas.offers.labels == 1).sum()) == painted, "what is shown is what would change"
    section.accept.click()
    assert int((window.session.labels.labels == 1).sum()) == painted
    assert not window.actions_["view.attention"].isChecked()
    window.actions_["edit.undo"].trigger()
    assert (window.session.labels.labels == 255).all()


def test_enter_takes_the_attentions_proposal_and_esc_drops_it_within_the_limits(pretrained, qtbot):
    window = pretrained
    window.session.labels.labels[:] = 0
    window.tools.lock(0, True)
    window.actions_["view.attention"].setChecked(True)
    mass = np.full((4, 2, 3), 0.1, np.float32)
    window.attention._on_maps(str(window.session.file()), 1 - mass, mass)
    window.attention._on_proposal(60)
    assert (window.canvas.offers.labels == 255).all(), "a locked class is not promised to change"
    window.tools.lock(0, False)
    assert (window.canvas.offers.labels == 1).all()
    window.canvas.setFocus()
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    assert window.canvas.offers.labels is None
    assert (window.session.labels.labels == 0).all()
    window.attention._on_proposal(60)
    QTest.keyClick(window.canvas, Qt.Key.Key_Return)
    assert (window.session.labels.labels == 1).all()
    assert window.canvas.offers.labels is None


def test_one_can_look_back_at_the_training(pretrained, qtbot):
    window, section = pretrained, pretrained.panels["pretrain"].attention
    now, _ = window.attention.encoder()
    assert now.endswith("last")
    window.actions_["view.attention"].setChecked(True)
    qtbot.waitUntil(lambda: len(window.attention.moments) == 2, timeout=PATIENCE)
    window.drawing.draw()
    assert section.past.isVisible()
    section.time.slider.setValue(1)
    assert window.attention.encoder()[0].endswith("00000040")
    window.drawing.draw()
    assert section.when.text() == "After step 40, at 50\u202f% of its training"
    section.time.slider.setValue(2)
    assert window.attention.encoder()[0] == now


def test_an_answer_of_an_earlier_check_is_found_again(pretrained, qtbot):
    window, panel = pretrained, pretrained.panels["working"]
    key = window.learning.encoders()[0].run.id
    asked = HelpRequest(
        images_root="x", labelled=(), classes=(), encoder_run=key, recipe=FinetuneRecipe(backbone=BACKBONE)
    )
    run = RunFolder.create(window.session.project.path, asked, "check")
    sentence = "No difference could be shown with 6 masks: +0.4 ± 2.1 points."
    told = {"better": "domain", "than": "random", "difference": 0.004, "low": -0.017, "high": 0.025, "shown": False}
    run.append(ev.Started())
    result = {"run": key, "answer": sentence, "rounds": 5, "masks": 6, "steps": 40, "comparisons": [told]}
    run.append(ev.Finished(result=result))
    with qtbot.waitSignal(window.session.queue.history_changed, timeout=PATIENCE):
        window.session.queue.adopt(window.session.project.path)
    window.go_to_step("working")
    window.drawing.draw()
    assert panel.answer.text() == sentence
    assert panel.spans.isVisible()
    assert not panel.check.isEnabled(), "nothing is painted here"
    assert kind_of(run.id) == "did-it-help"
    assert run.summary().kind == "did-it-help"


@pytest.mark.timeout(600)
def test_the_real_worker_looks_at_the_folder_and_the_panel_tells(opened, qtbot):
    window, panel = opened, opened.panels["working"]
    window.actions_["learn.working"].trigger()
    assert window.working.chosen().endswith(".untrained")
    window.drawing.draw()
    panel.look.click()
    qtbot.waitUntil(lambda: window.working.current() is not None, timeout=20 * PATIENCE)
    window.drawing.draw()
    assert panel.figures.isVisible()
    assert len(window.working.current().images) == 6
    window.actions_["view.map"].trigger()
    assert len(window.map._state.images) == 6


def _point(x: float, y: float):
    from PySide6.QtCore import QPointF

    return QPointF(x, y).toPoint()
