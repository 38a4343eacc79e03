"""Sentences and figures; a run folded from its events; what panels say while it works."""

from dataclasses import replace

import pytest
from PySide6.QtGui import QColor, QFontMetrics

from sslstudio.runs import events as ev
from sslstudio.runs.folder import RunFolder, RunState
from sslstudio.runs.naming import waiting_words
from sslstudio.runs.request import ExportRequest
from sslstudio.ui.panels.live import MOST_POINTS, Curve, LiveRun, live_run
from sslstudio.ui.panels.plots import nice_scale
from sslstudio.ui.panels.states import FinetuneState, ImagesState, PaintState, PretrainState, ProblemRow
from sslstudio.ui.panels.training import outcome_words
from sslstudio.ui.panels.words import (
    duration,
    health,
    image_facts,
    many,
    model_note,
    quality_sentence,
    run_row,
    thousands,
)
from sslstudio.ui.theme import SMALL, font

from .conftest import CLASSES, FIGURES, ONE_PAINTED, a_run


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, ""), (0, "5 s"), (38, "40 s"), (58, "1 min"), (233, "4 min"), (3599, "1 h"), (7800, "2 h 10 min")],
)
def test_time_left_is_as_exact_as_one_cares(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("rank", "level"), [(None, "none"), (1.2, "poor"), (3, "fair"), (7.9, "fair"), (34, "good"), (400, "good")]
)
def test_health_has_a_level_and_a_sentence(rank, level):
    found = health({} if rank is None else {"effective_rank": rank, "feature_width": 512})
    assert found.level == level
    assert found.word
    assert found.meaning
    if rank is not None:
        assert found.figure == f"features use {round(rank)} of 512 directions"


def test_a_low_figure_is_not_judged_at_the_very_beginning():
    assert health({"effective_rank": 1.2}, early=True).level == "none"
    assert health({"effective_rank": 34}, early=True).level == "good"
    assert health({"effective_rank": 1.2}, steps=5000).word == "Collapsed"
    short = health({"effective_rank": 1.2}, steps=12)
    assert (short.word, short.level) == ("Hardly begun", "fair")
    assert "12 steps" in short.meaning


def test_quality_is_told_by_recall_and_precision_where_known_else_by_overlap():
    names = ["background", "nucleus"]
    assert quality_sentence(FIGURES, names) == "Overlap with your masks: 78\u202f%."
    known = {**FIGURES, "recall/nucleus": 0.83, "precision/nucleus": 0.91}
    assert quality_sentence(known, names) == (
        "Finds 83\u202f% of nucleus pixels; of what it marks, 91\u202f% is right."
    )
    assert quality_sentence({}, names) == ""
    assert quality_sentence({**FIGURES, "measured_images": 1.0}, names).endswith("on 1 image only: a hint, no proof.")
    assert quality_sentence({**FIGURES, "measured_images": 3.0}, names) == quality_sentence(FIGURES, names)
    strokes = quality_sentence({**FIGURES, "measured_images": 3.0, "measured_painted": 0.25}, names)
    assert strokes.endswith(
        "Only what you painted there was judged (25\N{NARROW NO-BREAK SPACE}% of the pixels), not the rest."
    )
    assert model_note({"miou": 0.98, "measured_painted": 0.25}) == "overlap about 98\u202f%"
    assert model_note({"miou": 0.98, "measured_painted": 0.97}) == "overlap 98\u202f%"


def test_numbers_and_nouns():
    assert many(1, "mask") == "1 mask"
    assert many(6, "mask") == "6 masks"
    assert thousands(20000) == "20\u2009000"


def test_facts_about_images_are_plain():
    from sslstudio.project.index import ImageRecord

    def record(width, channels, dtype, problem=""):
        return ImageRecord(0, "a.tif", width, 100, channels, dtype, 1, 1, problem, 0.0, False)

    records = [record(200, 1, "uint16"), record(300, 3, "uint8"), record(250, 3, "uint8"), record(9, 3, "uint8", "bad")]
    assert image_facts(records) == (
        "From 200 × 100 to 300 × 100 pixels",
        "2 colour, 1 grey",
        "2 with 8 bits per pixel value, 1 with 16 bits per pixel value",
    )
    assert image_facts([record(200, 1, "uint16")]) == ("All 200 × 100 pixels", "Grey", "16 bits per pixel value")
    assert image_facts([]) == ()


def test_advice_leads_from_nothing_to_ready():
    assert "Open a folder" in PaintState().advice
    assert "Add a class" in PaintState(9, classes=CLASSES[:1]).advice
    assert "“nucleus” too" in PaintState(9, 1, classes=ONE_PAINTED).advice
    assert "Two or three more" in PaintState(9, 1, classes=CLASSES).advice
    assert "Ready" in PaintState(9, 5, classes=CLASSES).advice


def test_a_run_is_folded_from_its_events(tmp_path):
    run = LiveRun("r", tmp_path).after_all(
        [
            ev.Started(device="cpu"),
            ev.Phase(text="Learning"),
            ev.Metric(step=1, values={"loss": 3.0}),
            ev.Metric(step=2, values={"loss": 2.0, "effective_rank": 30.0}),
            ev.Progress(step=2, steps=4, share=0.5, seconds_left=10),
            ev.Preview(what="attention", image="a.png", file="previews/a-1.png", step=1),
            ev.Preview(what="attention", image="b.png", file="previews/b-1.png", step=1),
            ev.Preview(what="attention", image="a.png", file="previews/a-2.png", step=2),
            ev.Paused(),
        ]
    )
    assert run.state is RunState.PAUSED
    assert run.curves["loss"] == Curve((1, 2), (3.0, 2.0))
    assert run.figures == {"loss": 2.0, "effective_rank": 30.0}
    assert [thumb.file.name for thumb in run.thumbs] == ["a-2.png", "b-1.png"]  # in place, the newest picture
    assert run.after(ev.Failed(problem="The disk is full.", advice="Make room.")).warning == "The disk is full."


def test_a_long_curve_is_thinned_and_keeps_its_newest_point():
    curve = Curve()
    for step in range(5000):
        curve = curve.with_point(step, float(step))
    assert len(curve.steps) <= MOST_POINTS
    assert curve.values[-1] >= 4990


def test_a_run_without_worker_shows_as_interrupted(tmp_path):
    folder = RunFolder.create(tmp_path, ExportRequest(model="m"))
    assert live_run(folder).state is RunState.WAITING
    folder.append(ev.Started())
    assert live_run(folder).state is RunState.INTERRUPTED
    assert "begins again from step 1" in outcome_words(live_run(folder))
    folder.append(ev.Checkpointed(folder="checkpoints/last", step=7))
    assert "goes on from the last checkpoint (step 7)" in outcome_words(live_run(folder))
    assert "step 7" in run_row(folder.summary()).resuming


def test_marks_on_an_axis_are_round():
    scale = nice_scale([0.13, 0.87], low=0.0, high=1.0)
    assert scale.ticks == (0.0, 0.5, 1.0)
    assert nice_scale([3.0, 3.0]).low < 3.0 < nice_scale([3.0, 3.0]).high
    assert len(nice_scale([0.001, 2600.0]).ticks) in (3, 4)


def test_the_pretrain_panel_tells_speed_health_and_time(show, tmp_path):
    panel = show("pretrain", PretrainState(128, run=a_run(tmp_path)))
    live = panel.live
    assert live.box.phase.text() == "Learning"
    assert live.box.left.text() == "4 min left"
    assert live.speed.text() == "152"
    assert live.wait.text() == "3\u202f%"
    assert live.health.word.text() == "Healthy"
    assert live.health.figure.text() == "Features use 34 of 512 directions"
    collapsed = replace(a_run(tmp_path), figures={"effective_rank": 1.5})
    panel.draw(PretrainState(128, run=collapsed))
    assert live.health.word.text() == "Collapsed"


def test_nothing_moves_while_figures_change(show, tmp_path):
    first = replace(a_run(tmp_path), figures={}, curves={}, thumbs=(), phase="", seconds_left=-1.0, share=0.0)
    panel = show("pretrain", PretrainState(128, run=first))
    parts = (panel.live.plot, panel.live.thumbs, panel.attention, panel.live.box.stop)
    before = [part.mapTo(panel, part.rect().topLeft()) for part in parts]
    for figures in (FIGURES, {**FIGURES, "effective_rank": 2.0}):
        panel.draw(PretrainState(128, run=replace(a_run(tmp_path), figures=figures)))
        panel.grab()
        assert [part.mapTo(panel, part.rect().topLeft()) for part in parts] == before


def test_previews_show_the_pictures_that_arrived(show, tmp_path):
    panel = show("pretrain", PretrainState(128, run=a_run(tmp_path)))
    tile = panel.live.thumbs.tiles[0]
    tile._fade.setCurrentTime(400)
    tile._fade.stop()
    middle = tile.grab().toImage().pixelColor(tile.width() // 2, tile.height() // 2)
    assert middle == QColor("red")


def test_a_curve_is_drawn_in_the_accent_colour(show, tmp_path, qapp):
    panel = show("pretrain", PretrainState(128, run=a_run(tmp_path)))
    picture = panel.live.plot.grab().toImage()
    accent = qapp.palette().highlight().color()
    columns = {x for x in range(picture.width()) for y in range(picture.height()) if picture.pixelColor(x, y) == accent}
    assert len(columns) > picture.width() / 2


def test_the_finetune_panel_tells_overlap_per_class(show, tmp_path):
    panel = show("finetune", FinetuneState(6, CLASSES, run=a_run(tmp_path)))
    assert panel.live.words.text() == "Overlap with your masks: 78\u202f%."
    assert "nucleus: overlap with your masks 78" in panel.live.bars.accessibleDescription()
    assert "IoU" in panel.live.words.toolTip()
    picture = panel.live.bars.grab().toImage()
    seen = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert {row.colour.lower() for row in CLASSES} <= seen


def test_a_class_that_no_kept_aside_image_shows_is_not_told_as_missed(show, tmp_path):
    first, *others = [row.name for row in CLASSES]
    figures = {f"iou/{first}": 0.9, f"recall/{first}": 0.95, f"precision/{first}": 0.94, "miou": 0.9}
    figures |= {f"iou/{name}": 0.0 for name in others}  # a stray pixel, and nothing there to overlap with
    panel = show("finetune", FinetuneState(6, CLASSES, run=replace(a_run(tmp_path), figures=figures)))
    told = panel.live.bars.accessibleDescription()
    assert first in told
    assert not any(name in told for name in others)


def test_what_a_run_waits_for_is_told_in_full(show, tmp_path):
    words = waiting_words("Fine-tuning of model-12", 200.0, project="Nuclei of ward 7", more=2)
    panel = show("pretrain", PretrainState(128, run=LiveRun("x", tmp_path, phase=words)))
    shown = panel.live.box.phase
    assert shown.text() == (
        "Waiting for “Fine-tuning of model-12” in the project Nuclei of ward 7, about 3 minutes left, then 2 more runs"
    )
    assert shown.height() >= shown.heightForWidth(shown.width()), "it wraps and is not cut"


def test_a_weak_model_is_not_praised(show, tmp_path):
    weak = a_run(tmp_path, RunState.FINISHED)
    panel = show("finetune", FinetuneState(6, CLASSES, run=replace(weak, figures={**FIGURES, "miou": 0.1})))
    assert "Give it more time" in panel.outcome.notice.text()
    panel.draw(FinetuneState(6, CLASSES, run=weak))
    assert "Give it more time" not in panel.outcome.notice.text()


def test_a_class_that_was_not_measured_again_shows_no_old_figure(tmp_path):
    run = LiveRun("r", tmp_path).after(ev.Metric(step=1, values={"miou": 0.5, "iou/a": 0.0, "iou/b": 1.0}))
    run = run.after(ev.Metric(step=2, values={"loss": 1.0}))
    assert run.figures["iou/a"] == 0.0
    assert "iou/a" not in run.after(ev.Metric(step=3, values={"miou": 1.0, "iou/b": 1.0})).figures


def test_a_long_reason_is_not_cut(show):
    reason = "Now 2048 × 2048 pixels, but its mask was painted for 1024 × 1024; the mask is kept. " * 2
    panel = show("images", ImagesState(True, "/cells", 9, problems=(ProblemRow("a.tif", reason), ProblemRow("b", "?"))))
    long, short = (panel.list.sizeHintForRow(row) for row in (0, 1))
    lines = QFontMetrics(font(SMALL)).horizontalAdvance(reason) / panel.list.viewport().width()
    assert long >= short + int(lines) * QFontMetrics(font(SMALL)).lineSpacing()


def test_the_numbers_of_a_file_are_called_what_the_file_holds(tmp_path):
    import numpy as np
    import tifffile

    from sslstudio.project.project import Project
    from sslstudio.ui.image_model import depth

    (tmp_path / "i").mkdir()
    for name in ("int16", "uint16", "float64", "uint32"):
        tifffile.imwrite(tmp_path / "i" / f"{name}.tif", np.arange(64, dtype=name).reshape(8, 8))
    np.save(tmp_path / "i" / "stack.npy", np.zeros((20, 30, 40), np.int8))
    with Project.create(tmp_path / "p", tmp_path / "i") as project:
        project.check_files()
        told = {record.path: depth(record) for record in project.images()}
        facts = image_facts([project.image("int16.tif")])
    assert told["int16.tif"] == "16 bit signed grey"
    assert told["uint16.tif"] == "16 bit grey"
    assert told["float64.tif"] == "64 bit float grey"
    assert told["uint32.tif"] == "32 bit grey"
    assert told["stack.npy"] == told["stack.npy#0002"] == "8 bit signed grey"
    assert facts[-1] == "Signed 16 bits per pixel value"
