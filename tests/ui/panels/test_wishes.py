"""Each panel's wishes, asked for with mouse and keyboard as people do."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QColorDialog, QWidget

from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.methods import RotationRecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.settings import with_changes
from sslstudio.runs.folder import RunState
from sslstudio.ui.panels.states import (
    ExportRow,
    ExportState,
    FinetuneState,
    ImagesState,
    PaintState,
    PretrainState,
    ProblemRow,
    ReviewState,
)

from .conftest import ATTENTION, CLASSES, MODELS, ONE_PAINTED, ROWS, a_run

LEFT = Qt.MouseButton.LeftButton


def press(qtbot, panel: QWidget, name: str) -> None:
    """Click the control of this name, which must be visible and enabled."""
    control = panel.findChild(QWidget, f"{panel.objectName()}.{name}")
    assert control is not None, name
    assert control.isVisible(), name
    assert control.isEnabled(), name
    qtbot.mouseClick(control, LEFT)


def hears(qtbot, panel: QWidget, signal: str, control: str) -> list:
    """What a signal carries when a control is clicked."""
    with qtbot.waitSignal(getattr(panel, signal), timeout=1000) as heard:
        press(qtbot, panel, control)
    return heard.args


PROJECT = ImagesState(True, "/cells", 128, ("Grey",), (ProblemRow("a.tif", "Is empty."),), "microscopy")


@pytest.mark.parametrize(
    ("name", "state", "control", "signal", "args"),
    [
        ("images", ImagesState(), "empty.button", "open_wanted", []),
        ("images", PROJECT, "rescan", "rescan_wanted", []),
        ("images", PROJECT, "relocate", "relocate_wanted", []),
        ("images", PROJECT, "continue", "continue_wanted", []),
        ("pretrain", PretrainState(), "empty.button", "images_wanted", []),
        ("pretrain", PretrainState(9, earlier=ROWS), "earlier.1.use", "use_wanted", ["r1"]),
        ("pretrain", PretrainState(9, earlier=ROWS), "earlier.1.resume", "resume_wanted", ["r1"]),
        ("paint", PaintState(), "empty.button", "images_wanted", []),
        ("paint", PaintState(9, classes=CLASSES), "classes.1", "class_chosen", [1]),
        ("paint", PaintState(9, classes=ONE_PAINTED), "classes.1.remove", "class_remove_wanted", [1]),
        ("paint", PaintState(9, classes=CLASSES), "continue", "finetune_wanted", []),
        ("paint", PaintState(9, classes=CLASSES), "import", "import_wanted", []),
        ("finetune", FinetuneState(), "empty.button", "paint_wanted", []),
        ("finetune", FinetuneState(6, CLASSES, earlier=ROWS), "earlier.1.resume", "resume_wanted", ["r1"]),
        ("review", ReviewState(), "empty.button", "finetune_wanted", []),
        ("review", ReviewState(9, MODELS, "cells"), "view.swipe", "view_chosen", ["swipe"]),
        ("review", ReviewState(9, MODELS, "cells", has_prediction=True), "accept", "accept_wanted", [False]),
        ("review", ReviewState(9, MODELS, "cells", has_prediction=True), "accept_next", "accept_wanted", [True]),
        ("review", ReviewState(9, MODELS, "cells"), "predict_all", "predict_all_wanted", []),
        ("review", ReviewState(9, MODELS, "cells"), "export", "export_wanted", []),
        (
            "review",
            ReviewState(9, MODELS, "cells", has_prediction=True, has_mask=True),
            "differences",
            "differences_chosen",
            [True],
        ),
        ("export", ExportState(), "empty.button", "finetune_wanted", []),
        ("export", ExportState(MODELS, "cells"), "all", "export_wanted", ["all"]),
        ("export", ExportState(MODELS, "cells"), "onnx", "export_wanted", ["onnx"]),
        ("export", ExportState(MODELS, "cells"), "backbone", "export_wanted", ["backbone"]),
        (
            "export",
            ExportState(MODELS, "cells", results=(ExportRow("ONNX", Path("/m/model.onnx")),)),
            "result.0.open",
            "open_folder_wanted",
            ["/m/model.onnx"],
        ),
    ],
)
def test_a_click_asks_for_what_the_button_says(name, state, control, signal, args, show, qtbot):
    assert hears(qtbot, show(name, state), signal, control) == args


@pytest.mark.parametrize(
    ("name", "state_of"),
    [
        ("pretrain", lambda run: PretrainState(9, run=run)),
        ("finetune", lambda run: FinetuneState(6, CLASSES, run=run)),
    ],
)
def test_a_run_can_be_paused_resumed_stopped(name, state_of, show, qtbot, tmp_path):
    running = a_run(tmp_path)
    panel = show(name, state_of(running))
    assert hears(qtbot, panel, "pause_wanted", "live.run.pause") == ["run-1"]
    assert hears(qtbot, panel, "stop_wanted", "live.run.stop") == ["run-1"]
    panel.draw(state_of(replace(running, state=RunState.PAUSED)))
    assert hears(qtbot, panel, "resume_wanted", "live.run.resume") == ["run-1"]
    panel.draw(state_of(replace(running, state=RunState.INTERRUPTED)))
    assert hears(qtbot, panel, "resume_wanted", "outcome.resume") == ["run-1"]
    panel.draw(state_of(replace(running, state=RunState.STOPPED)))
    signal = "paint_wanted" if name == "pretrain" else "review_wanted"
    assert hears(qtbot, panel, signal, "outcome.next") == []


def test_starting_pretraining_carries_the_answers(show, qtbot):
    suggested = with_changes(PretrainRecipe(), {"preset": "microscopy", "resolution": 96})
    panel = show("pretrain", PretrainState(128, recipe=suggested))
    press(qtbot, panel, "minutes.choice.30")
    (recipe,) = hears(qtbot, panel, "start_wanted", "start")
    assert recipe == with_changes(suggested, {"minutes": 30.0})


def test_minutes_can_be_typed(show, qtbot):
    panel = show("pretrain", PretrainState(128))
    box = panel.findChild(QWidget, "panel.pretrain.minutes.exact")
    box.selectAll()
    qtbot.keyClicks(box, "0.5")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    (recipe,) = hears(qtbot, panel, "start_wanted", "start")
    assert recipe.minutes == 0.5
    assert panel.how_long.segments.selected() == ""


def test_an_answer_outlives_the_next_drawing(show, qtbot):
    panel = show("pretrain", PretrainState(128))
    press(qtbot, panel, "minutes.choice.120")
    panel.draw(PretrainState(128))
    assert panel.how_long.minutes() == 120


def test_a_method_that_does_not_fit_cannot_start(show, qtbot):
    panel = show("pretrain", PretrainState(128))
    panel.form.method.choose("mae")
    assert not panel.start.isEnabled()
    assert panel.misfit.isVisible()  # told in sight, although Advanced is folded
    panel.form.rows["backbone"].put("vit_tiny_patch16_224")
    assert panel.start.isEnabled()


def test_a_value_that_does_not_fit_opens_advanced_instead_of_starting(show, qtbot):
    panel = show("pretrain", PretrainState(128))
    line = panel.form.rows["learning_rate"].control
    line.setText("9")
    with qtbot.assertNotEmitted(panel.start_wanted):
        press(qtbot, panel, "start")
    assert panel.form.rows["learning_rate"].problem.isVisible()


def test_starting_fine_tuning_carries_recipe_and_run(show, qtbot):
    from sslstudio.ui.panels.states import Choice

    panel = show("finetune", FinetuneState(6, CLASSES, (Choice("r2", "14:05 · SimCLR"),), "r2"))
    assert panel.start.text() == "Fine-tune on 6 masks"
    assert not panel.form.rows["backbone"].isEnabled()
    press(qtbot, panel, "minutes.choice.1")
    assert hears(qtbot, panel, "start_wanted", "start") == [with_changes(FinetuneRecipe(), {"minutes": 1.0}), "r2"]
    panel.run_combo.setFocus()
    qtbot.keyClick(panel.run_combo, Qt.Key.Key_Down)
    assert panel.form.rows["backbone"].isEnabled()
    assert hears(qtbot, panel, "start_wanted", "start")[1] == ""


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (FinetuneState(), "There are no masks yet"),
        (FinetuneState(1, ONE_PAINTED), "Only “background” is painted"),
    ],
)
def test_fine_tuning_says_what_is_missing(state, words, show):
    panel = show("finetune", state)
    shown = panel.empty.words if panel.empty.isVisible() else panel.missing
    assert words in shown.text()
    assert shown.isVisible()
    assert not panel.start.isEnabled()


def test_presets_are_chosen_by_keyboard(show, qtbot):
    for name, state in (("images", PROJECT), ("pretrain", PretrainState(9))):
        panel = show(name, state)
        panel.preset.setFocus()
        with qtbot.waitSignal(panel.preset_chosen, timeout=1000) as heard:
            qtbot.keyClick(panel.preset, Qt.Key.Key_End)
        assert heard.args == ["industrial"]


def test_a_file_that_is_left_out_can_be_looked_at(show, qtbot):
    panel = show("images", PROJECT)
    assert panel.problems.head.text() == "1 file left out"
    panel.list.setCurrentRow(0)
    with qtbot.waitSignal(panel.image_wanted, timeout=1000) as heard:
        qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert heard.args == ["a.tif"]


def test_a_preview_leads_to_its_image(show, qtbot, tmp_path):
    panel = show("pretrain", PretrainState(9, run=a_run(tmp_path)))
    assert hears(qtbot, panel, "image_wanted", "live.previews.1") == ["cell_1.tif"]


def test_sliders_answer_to_the_keyboard(show, qtbot):
    panel = show("paint", PaintState(9, brush=16, classes=CLASSES))
    with qtbot.waitSignal(panel.brush_chosen, timeout=1000) as heard:
        qtbot.keyClick(panel.tool.brush.slider, Qt.Key.Key_Right)
    assert heard.args == [17]
    assert panel.tool.brush.number.text() == "17 px"
    with qtbot.waitSignal(panel.option_chosen, timeout=1000) as heard:
        qtbot.keyClick(panel.whole.speck.slider, Qt.Key.Key_Home)
    assert heard.args == ["speck", 2]


def test_a_class_is_added_with_enter_and_the_field_is_empty_again(show, qtbot):
    panel = show("paint", PaintState(9, classes=CLASSES))
    assert not panel.classes.add.isEnabled()
    qtbot.keyClicks(panel.classes.new, "  crack ")
    with qtbot.waitSignal(panel.class_add_wanted, timeout=1000) as heard:
        qtbot.keyClick(panel.classes.new, Qt.Key.Key_Return)
    assert heard.args == ["crack"]
    assert panel.classes.new.text() == ""


def test_a_class_is_renamed_in_place(show, qtbot):
    panel = show("paint", PaintState(9, classes=CLASSES))
    line = panel.classes.lines[1]
    qtbot.mouseDClick(line, LEFT)
    assert line.edit.isVisible()
    qtbot.keyClicks(line.edit, "cell")
    with qtbot.waitSignal(panel.class_rename_wanted, timeout=1000) as heard:
        qtbot.keyClick(line.edit, Qt.Key.Key_Return)
    assert heard.args == [1, "cell"]


def test_escape_keeps_the_old_name(show, qtbot):
    panel = show("paint", PaintState(9, classes=CLASSES))
    line = panel.classes.lines[1]
    line.setFocus()
    qtbot.keyClick(line, Qt.Key.Key_F2)
    qtbot.keyClicks(line.edit, "nonsense")
    with qtbot.assertNotEmitted(panel.class_rename_wanted):
        qtbot.keyClick(line.edit, Qt.Key.Key_Escape)
    assert not line.edit.isVisible()


def test_a_class_gets_another_colour(show, qtbot):
    panel = show("paint", PaintState(9, classes=CLASSES))
    press(qtbot, panel, "classes.1.colour")
    dialog = panel.findChild(QColorDialog, "dialog.colour")
    dialog.setCurrentColor("#123456")
    with qtbot.waitSignal(panel.class_recolour_wanted, timeout=1000) as heard:
        dialog.accept()
    assert heard.args == [1, "#123456"]


def test_any_class_may_go_but_the_last_one(show):
    panel = show("paint", PaintState(9, classes=CLASSES))
    assert not any(line.remove.isHidden() for line in panel.classes.lines)
    panel.draw(PaintState(9, classes=CLASSES[:1]))
    assert [line.remove.isHidden() for line in panel.classes.lines] == [True]


@pytest.mark.parametrize("name", ["pretrain", "review"])
def test_attention_wishes(name, show, qtbot):
    state = PretrainState(9, attention=ATTENTION)
    if name == "review":
        state = ReviewState(9, MODELS, "cells", attention=ATTENTION)
    panel = show(name, state)
    section = panel.attention
    for signal, control, key, value in (
        (section.head_chosen, section.head, Qt.Key.Key_End, 3),
        (section.block_chosen, section.block, Qt.Key.Key_Down, 1),
        (section.hover_chosen, section.hover, Qt.Key.Key_Space, False),
        (section.shown_chosen, section.shown, Qt.Key.Key_Space, False),
    ):
        with qtbot.waitSignal(signal, timeout=1000) as heard:
            QTest.keyClick(control, key)
        assert heard.args == [value]


def test_a_backbone_without_attention_says_so(show):
    from sslstudio.ui.panels.attention import no_attention
    from sslstudio.ui.panels.states import AttentionState

    state = AttentionState(available=False, why_not=no_attention("ResNet-18"))
    panel = show("review", ReviewState(9, MODELS, "cells", attention=state))
    section = panel.attention
    assert section.note.text() == "ResNet-18 has no attention. Choose a ViT to see where it looks."
    assert not section.controls.isVisible()


def test_models_are_chosen_by_keyboard(show, qtbot):
    for name, state in (("review", ReviewState(9, MODELS, "cells")), ("export", ExportState(MODELS, "cells"))):
        panel = show(name, state)
        with qtbot.waitSignal(panel.model_chosen, timeout=1000) as heard:
            qtbot.keyClick(panel.model, Qt.Key.Key_End)
        assert heard.args == ["second try"]


def test_a_stopped_prediction_and_export_name_their_run(show, qtbot, tmp_path):
    run = a_run(tmp_path)
    for name, state in (
        ("review", ReviewState(9, MODELS, "cells", run=run)),
        ("export", ExportState(MODELS, "cells", run)),
    ):
        assert hears(qtbot, show(name, state), "stop_wanted", "run.stop") == ["run-1"]


def test_what_speaks_against_a_method_is_told_in_sight_until_another_is_chosen(show):
    rotation = PretrainRecipe(method=RotationRecipe())
    panel = show("pretrain", PretrainState(128, recipe=rotation, doubt="Cells have no up and down."))
    assert panel.doubt.isVisible()
    assert panel.doubt.text() == "Cells have no up and down."
    assert panel.start.isEnabled()  # a warning, no refusal
    panel.form.method.choose("simclr")
    assert not panel.doubt.isVisible()


def test_a_backbone_that_does_not_exist_cannot_start_and_similar_ones_are_named(show):
    panel = show("pretrain", PretrainState(128))
    panel.form.rows["backbone"].put("resnet19")
    assert not panel.start.isEnabled()
    assert panel.misfit.isVisible()
    assert "There is no backbone “resnet19”" in panel.misfit.text()
    assert "resnet18" in panel.misfit.text()
    panel.form.rows["backbone"].put("resnet26")
    assert panel.start.isEnabled()


def test_the_reason_is_told_only_for_what_was_suggested(show):
    panel = show("pretrain", PretrainState(128, reason="Quick on a processor."))
    assert panel.reason.text() == "SimCLR on ResNet-18. Quick on a processor."
    panel.form.rows["backbone"].put("vit_tiny_patch16_224")
    assert panel.reason.text() == "SimCLR on ViT tiny, 16 px."
