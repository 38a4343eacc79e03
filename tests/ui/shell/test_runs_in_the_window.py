"""Runs as the window sees them: watched, queued, ended once, found again; asked about on closing."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton

from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs import events as ev
from sslstudio.runs import start
from sslstudio.runs.folder import RunFolder, RunState
from sslstudio.runs.request import ClassSpec, ExportRequest, FinetuneRequest, PretrainRequest
from sslstudio.ui.panels.export import ResultCard
from sslstudio.ui.pill import headline
from sslstudio.ui.watcher import Watcher

from .conftest import PATIENCE

# A worker as small as it can be: holds the life lock, reports, and obeys "stop".
WORKER = """
import sys, threading
from pathlib import Path
from sslstudio.runs import events as ev
from sslstudio.runs.folder import RunFolder
run = RunFolder(Path(sys.argv[1]))
with run.life():
    run.append(ev.Started(device="cpu"))
    run.append(ev.Progress(step=1, steps=2, share=0.5, seconds_left=240))
    end = sys.argv[2]
    if end == "until stopped":
        clock = threading.Event()
        while not run.wishes("stop"):
            clock.wait(0.05)
        run.append(ev.Stopped(result={"kept": True}))
    elif end == "overlay":
        import numpy as np
        from sslstudio.project.masks import write_mask
        clock = threading.Event()
        step = 0
        while not run.wishes("stop"):
            image = (run.preview() or (run.request().preview,))[0]
            labels = np.full((32, 48), step % 2, np.uint8)
            write_mask(run.previews / f"{step}.png", labels, ["#000000", "#ffffff"])
            run.append(ev.Preview(what="overlay", image=image, file=f"previews/{step}.png", step=step))
            step += 1
            clock.wait(0.1)
        run.append(ev.Stopped())
    elif end == "model":
        import numpy as np
        from sslstudio.learning.backbones.encoder import create_encoder
        from sslstudio.learning.segmentation.model import SegmentationModel, save_model
        from sslstudio.project.masks import write_mask
        request = run.request()
        write_mask(run.previews / "0.png", np.zeros((32, 48), np.uint8), ["#000000", "#ffffff"])
        run.append(ev.Preview(what="overlay", image=request.preview, file="previews/0.png", step=1))
        model = SegmentationModel(create_encoder("convnext_atto"), "multilevel", 2, crop=32)
        classes = [{"name": one.name, "colour": one.colour} for one in request.classes]
        save_model(model.eval(), run.project_folder / "models" / request.model, {"classes": classes, "metrics": {}})
        run.append(ev.Finished(result={"model": request.model}))
    elif end == "finish":
        run.append(ev.Finished(result={"well": True}))
    elif end == "fail":
        run.append(ev.Failed(problem="The disk is full.", advice="Make room."))
    elif end == "die":
        import os
        os._exit(9)
"""


def worker(run: RunFolder, end: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", WORKER, str(run.path), end])


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "p.sslproj", ExportRequest(model="m"), "m")


@pytest.mark.parametrize(
    ("end", "state"),
    [("finish", RunState.FINISHED), ("fail", RunState.FAILED), ("die", RunState.INTERRUPTED)],
)
def test_a_watcher_tells_the_end_exactly_once(qtbot, run, end, state):
    process = worker(run, end)
    watcher = Watcher(run, "Exporting", process)
    told = []
    watcher.ended.connect(told.append)
    with qtbot.waitSignal(watcher.ended, timeout=PATIENCE):
        watcher.start()
    watcher.close()
    assert [live.state for live in told] == [state]
    assert told[0].share in (0.5, 1.0)
    process.wait()


def test_a_resumed_run_is_not_over_because_it_once_was(qtbot, run):
    run.append(ev.Started())
    run.append(ev.Stopped())
    process = worker(run, "until stopped")
    watcher = Watcher(run, "Exporting", process, since=time.time())
    states = []
    watcher.changed.connect(lambda live: states.append(live.state))
    watcher.start()
    qtbot.waitUntil(lambda: RunState.RUNNING in states, timeout=PATIENCE)
    assert RunState.STOPPED not in states
    with qtbot.waitSignal(watcher.ended, timeout=PATIENCE):
        run.wish("stop")
    process.wait()
    assert states[-1] is RunState.STOPPED


@pytest.fixture
def small_worker(monkeypatch):
    """Runs end as told instead of learning; everything else is real."""
    how = {"end": "until stopped"}
    monkeypatch.setattr(
        start, "worker_command", lambda run, **_: [sys.executable, "-c", WORKER, str(run.path), how["end"]]
    )
    return how


def make_run(window) -> RunFolder:
    request = PretrainRequest(images_root="x", images=("a.png",), recipe=PretrainRecipe())
    return RunFolder.create(window.session.project.path, request, "x")


def test_the_pill_shows_what_runs_and_stops_it(qtbot, opened, small_worker):
    opened.session.queue.submit(make_run(opened))
    qtbot.waitUntil(lambda: "50 %" in opened.pill.text(), timeout=PATIENCE)
    assert opened.pill.isVisible()
    assert "4 min" in opened.pill.text()
    qtbot.mouseClick(opened.pill, Qt.MouseButton.LeftButton)
    assert opened.pill.popover.isVisible()
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE) as ended:
        qtbot.mouseClick(opened.pill.popover.findChild(QPushButton, "pill.stop"), Qt.MouseButton.LeftButton)
    assert ended.args[0].state is RunState.STOPPED
    assert not opened.pill.isVisible()
    assert "kept" in opened.notice.shown()


def test_runs_wait_for_their_turn(qtbot, opened, small_worker):
    queue = opened.session.queue
    first, second = make_run(opened), make_run(opened)
    queue.submit(first)
    queue.submit(second)
    qtbot.waitUntil(lambda: "+1" in opened.pill.text(), timeout=PATIENCE)
    waits = "Waiting for “Pretraining with SimCLR”, about 4 minutes left"
    qtbot.waitUntil(lambda: queue.live()[1].phase == waits, timeout=PATIENCE)
    assert second.state() is RunState.WAITING
    with qtbot.waitSignal(queue.ended, timeout=PATIENCE):
        queue.stop(first.id)
    qtbot.waitUntil(lambda: any(live.id == second.id and live.share for live in queue.live()), timeout=PATIENCE)
    with qtbot.waitSignal(queue.ended, timeout=PATIENCE):
        queue.stop(second.id)


def test_a_panel_names_the_run_that_its_own_waits_for(qtbot, opened, small_worker):
    queue = opened.session.queue
    first = make_run(opened)
    second = RunFolder.create(opened.session.project.path, ExportRequest(model="m"), "m")
    queue.submit(first)
    queue.submit(second)
    words = "Waiting for “Pretraining with SimCLR”, about 4 minutes left"
    qtbot.waitUntil(lambda: queue.latest("export").phase == words, timeout=PATIENCE)
    queue.stop(second.id)
    assert not queue.latest("export").active, "it must not seem to start up for ever"
    with qtbot.waitSignal(queue.ended, timeout=PATIENCE):
        queue.stop(first.id)


def test_closing_asks_and_a_run_that_goes_on_is_found_again(qtbot, opened, open_folder, small_worker):
    project = opened.session.project.path
    opened.session.queue.submit(make_run(opened))
    qtbot.waitUntil(lambda: "50 %" in opened.pill.text(), timeout=PATIENCE)
    opened.close()
    assert opened.isVisible(), "it must ask first"
    qtbot.mouseClick(opened.findChild(QPushButton, "closing.cancel"), Qt.MouseButton.LeftButton)
    assert opened.isVisible()
    opened.close()
    dialogs = [button for button in opened.findChildren(QPushButton, "closing.go_on") if button.isVisible()]
    qtbot.mouseClick(dialogs[-1], Qt.MouseButton.LeftButton)
    assert not opened.isVisible()
    opened.show()
    open_folder(project)
    qtbot.waitUntil(lambda: "50 %" in opened.pill.text(), timeout=PATIENCE)
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        opened.actions_["run.stop"].trigger()


def test_a_run_that_broke_off_is_offered_to_be_resumed(qtbot, opened, open_folder, small_worker):
    project = opened.session.project.path
    small_worker["end"] = "die"
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE) as ended:
        opened.session.queue.submit(make_run(opened))
    assert ended.args[0].state is RunState.INTERRUPTED
    assert "broke off" in opened.notice.shown()
    assert "begins again from step 1" in opened.notice.shown(), "it had no checkpoint to go on from"
    opened.files.close_project()
    open_folder(project)
    qtbot.waitUntil(lambda: "broke off" in opened.notice.shown(), timeout=PATIENCE)
    small_worker["end"] = "finish"
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE) as again:
        opened.notice.findChild(QPushButton, "notice.act").click()
    assert again.args[0].state is RunState.FINISHED


def test_a_failed_run_says_what_helps(qtbot, opened, small_worker):
    small_worker["end"] = "fail"
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        opened.session.queue.submit(make_run(opened))
    assert "The disk is full. Make room." in opened.notice.shown()


def test_advice_goes_once_its_step_is_open(qtbot, opened, small_worker):
    small_worker["end"] = "finish"
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        opened.session.queue.submit(make_run(opened))
    assert "Pretraining is done." in opened.notice.shown()
    opened.go_to_step("pretrain")
    assert "Pretraining is done." in opened.notice.shown()
    opened.go_to_step("paint")
    assert opened.notice.isHidden()


def test_advice_goes_when_newer_work_begins(qtbot, opened, small_worker):
    small_worker["end"] = "fail"
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        opened.session.queue.submit(make_run(opened))
    small_worker["end"] = "finish"
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        opened.learning.start_pretraining(PretrainRecipe())
    assert opened.notice.shown().startswith("Pretraining is done.")
    assert len(opened.notice.notices) == 1  # what went wrong before is overtaken
    small_worker["end"] = "until stopped"
    opened.learning.start_pretraining(PretrainRecipe())
    qtbot.waitUntil(lambda: bool(opened.session.queue.live()), timeout=PATIENCE)
    assert opened.notice.isHidden()
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        opened.session.queue.stop_all()


def test_a_run_is_not_followed_by_advice_while_the_next_one_works(qtbot, opened, small_worker):
    small_worker["end"] = "until stopped"
    first, second = make_run(opened), make_run(opened)
    opened.session.queue.submit(first)
    opened.session.queue.submit(second)
    qtbot.waitUntil(lambda: opened.session.queue.live()[0].state is RunState.RUNNING, timeout=PATIENCE)
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        first.append(ev.Finished())
        first.wish("stop")
    assert not any(notice.button for notice in opened.notice.notices)
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        second.wish("stop")


def test_what_was_exported_is_listed_when_the_project_is_opened_again(qtbot, opened, open_folder, tmp_path):
    place = opened.session.project.path
    opened.files.close_project()
    model = place / "models" / "cells"
    model.mkdir(parents=True)
    about = {"name": "cells", "classes": [{"name": "a", "colour": "#999999"}, {"name": "b", "colour": "#e69f00"}]}
    (model / "model.json").write_text(json.dumps(about))
    elsewhere, gone = tmp_path / "elsewhere.onnx", tmp_path / "gone.onnx"
    for file in (elsewhere, model / "backbone.safetensors"):
        file.write_bytes(b"what was written")
    for file, difference in ((gone, 1e-7), (elsewhere, 0.00002)):
        run = RunFolder.create(place, ExportRequest(model="cells", out=str(file)), "cells")
        agreement = {"difference": difference, "sizes": [[160, 97], [131, 224]]}
        run.append(ev.Finished(result={"model": "cells", "files": {"onnx": str(file)}, "agreement": agreement}))
    open_folder(place)
    opened.go_to_step("export")

    def listed():
        return {card.path.toolTip(): card for card in opened.panels["export"].findChildren(ResultCard)}

    qtbot.waitUntil(lambda: str(elsewhere) in listed(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: set(listed()) == {str(elsewhere), str(model / "backbone.safetensors")}, timeout=PATIENCE)
    words = " ".join(part.text() for part in listed()[str(elsewhere)].findChildren(QLabel))
    assert "differ by at most 0.000020, tried at 160 × 97 and 131 × 224 pixels" in words
    assert opened.stepper.buttons["export"].state.standing == "done"


def test_fine_tuning_without_masks_is_refused_in_words(qtbot, opened):
    opened.learning.start_finetuning(FinetuneRecipe(minutes=0.05), "")
    qtbot.waitUntil(lambda: "No mask has been painted" in opened.notice.shown(), timeout=PATIENCE)


def tuning(window) -> RunFolder:
    """The folder of a fine-tuning whose preview is the current image."""
    request = FinetuneRequest(
        images_root="x",
        labelled=(),
        classes=(ClassSpec(name="a", colour="#000000"), ClassSpec(name="b", colour="#ffffff")),
        model="m",
        preview=window.session.image,
        recipe=FinetuneRecipe(),
    )
    return RunFolder.create(window.session.project.path, request, "m")


def test_the_live_overlay_follows_the_image_that_is_shown(qtbot, opened, small_worker):
    small_worker["end"] = "overlay"
    first = opened.session.image
    run = tuning(opened)
    opened.session.queue.submit(run)
    qtbot.waitUntil(lambda: opened.review.shown_live > 0, timeout=PATIENCE)
    opened.browser.go(1)
    qtbot.waitUntil(lambda: run.preview() == (opened.session.image,), timeout=PATIENCE)
    assert opened.session.image != first
    before = opened.review.shown_live
    qtbot.waitUntil(lambda: opened.review.shown_live > before, timeout=PATIENCE)
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        opened.session.queue.stop(run.id)


@pytest.mark.timeout(300)
def test_after_fine_tuning_the_finished_model_stays_in_sight_until_one_goes_on(qtbot, opened, small_worker):
    small_worker["end"] = "model"
    opened.go_to_step("finetune")
    run = tuning(opened)
    with qtbot.waitSignal(opened.session.queue.ended, timeout=5 * PATIENCE):
        opened.session.queue.submit(run)
    qtbot.waitUntil(lambda: opened.review.shown_finished == 1, timeout=5 * PATIENCE)
    assert (opened.canvas.live_overlay == opened.review.prediction).all()
    opened.browser.go(1)
    qtbot.waitUntil(lambda: opened.review.shown_finished == 2, timeout=PATIENCE)
    assert (opened.canvas.live_overlay == opened.review.prediction).all(), "the next image, too"
    opened.actions_["view.live"].trigger()
    assert opened.canvas.live_overlay is None
    opened.actions_["view.live"].trigger()
    assert opened.canvas.live_overlay is not None
    opened.go_to_step("paint")
    assert opened.canvas.live_overlay is None, "who paints on wants to see the image"
    opened.go_to_step("finetune")
    assert opened.canvas.live_overlay is None


def test_a_fine_tuning_that_failed_leaves_no_overlay(qtbot, opened, small_worker):
    small_worker["end"] = "overlay"
    run = tuning(opened)
    opened.session.queue.submit(run)
    qtbot.waitUntil(lambda: opened.review.shown_live > 0, timeout=PATIENCE)
    with qtbot.waitSignal(opened.session.queue.ended, timeout=PATIENCE):
        opened.session.queue.stop(run.id)
    assert opened.canvas.live_overlay is None, "it left no model"


def test_the_headline_of_a_run():
    from pathlib import Path

    from sslstudio.ui.panels.live import LiveRun

    live = LiveRun("1-pretrain-x", Path(), RunState.RUNNING, "Pretraining", steps=9, share=0.62, seconds_left=240)
    assert headline(live) == "Pretraining 62 % · 4 min"
    assert headline(live, 2) == "Pretraining 62 % · 4 min · +2"


def test_the_pill_keeps_its_width_whatever_is_done(qtbot, opened):
    from pathlib import Path

    from sslstudio.ui.panels.live import LiveRun

    states = [
        LiveRun("1-export-x", Path(), RunState.WAITING, "Exporting"),
        LiveRun("1-export-x", Path(), RunState.RUNNING, "Exporting", phase="Writing ONNX and checking it against it"),
        LiveRun("1-export-x", Path(), RunState.RUNNING, "Exporting", steps=9, share=0.5, seconds_left=9000),
        LiveRun("1-export-x", Path(), RunState.PAUSED, "Exporting", steps=9, share=0.5),
    ]
    places = set()
    for live in states:
        opened.pill.draw([live, *states[:2]])
        opened.layout().activate()
        places.add(opened.pill.geometry().getRect())
    assert len(places) == 1
    assert "ONNX" in headline(states[1])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_masks_to_a_prediction_with_the_real_worker(qtbot, opened):
    """Fine-tune on two masks, see the model in Review, accept what it finds."""
    project = opened.session.project
    for record in opened.session.records[:2]:
        labels = np.zeros((record.height, record.width), np.uint8)
        labels[:, record.width // 2 :] = 1
        project.set_mask(record.path, labels)
    opened.session.reread_records()
    recipe = FinetuneRecipe(minutes=0.05, crop=32, batch_size=2, backbone="resnet18")
    with qtbot.waitSignal(opened.session.queue.ended, timeout=500_000) as ended:
        opened.learning.start_finetuning(recipe, "")
    assert ended.args[0].state is RunState.FINISHED, ended.args[0].warning
    assert len(opened.session.models) == 1
    opened.go_to_step("review")
    qtbot.waitUntil(lambda: opened.review.prediction is not None, timeout=300_000)
    found = opened.review.prediction
    opened.review.accept(False)
    assert np.array_equal(project.label_map(opened.session.image).labels, found)
