"""The picker of backbones: searched, sorted, walked through with the keyboard, honest about what it costs."""

import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from sslstudio.recipes.catalogue import catalogue
from sslstudio.recipes.machine import RECOMMENDED, Machine, remember
from sslstudio.ui import theme
from sslstudio.ui.dialogs.backbone_table import MEMORY, NAME, PARAMETERS
from sslstudio.ui.dialogs.backbones import BackbonesDialog
from sslstudio.ui.panels.pretrain import PretrainPanel
from sslstudio.ui.panels.states import PretrainState

PATIENCE = 280_000  # milliseconds; a worker loads torch on a busy machine


@pytest.fixture
def open_picker(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("SSLSTUDIO_STATE", str(tmp_path / "state"))
    theme.apply(QApplication.instance(), dark=False)

    def opened(current="resnet18", *, gpu=False):
        dialog = BackbonesDialog(current, gpu=gpu)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitExposed(dialog)
        return dialog

    return opened


def shown(dialog) -> list[str]:
    return [dialog.shown.index(row, NAME).data() for row in range(dialog.shown.rowCount())]


def test_every_backbone_is_there_and_the_present_one_is_selected(open_picker):
    dialog = open_picker("vit_tiny_patch16_224")
    assert set(shown(dialog)) == set(catalogue())
    assert dialog.selected().name == "vit_tiny_patch16_224"


def test_search_and_family_narrow_the_table_and_an_empty_result_says_so(open_picker, qtbot):
    dialog = open_picker()
    qtbot.keyClicks(dialog.search, "convnext dinov3")
    assert shown(dialog)
    assert all("convnext" in name for name in shown(dialog))
    dialog.search.setText("no such thing")
    assert shown(dialog) == []
    assert dialog.nothing.isVisible()
    assert "no such thing" in dialog.nothing.text()
    assert not dialog._choose.isEnabled()
    qtbot.mouseClick(dialog.clear, Qt.MouseButton.LeftButton)
    assert len(shown(dialog)) == len(catalogue())
    assert dialog.table.isVisible()


def test_columns_sort_by_number_not_by_letter(open_picker):
    dialog = open_picker()
    for column, value in ((PARAMETERS, lambda row: row.parameters), (MEMORY, None)):
        dialog.table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
        values = [
            dialog.shown.index(row, column).data(Qt.ItemDataRole.UserRole) for row in range(dialog.shown.rowCount())
        ]
        assert values == sorted(values)
        if value:
            assert values[0] == min(map(value, catalogue().values()))


def test_the_keyboard_alone_finds_and_chooses(open_picker, qtbot):
    dialog = open_picker()
    qtbot.keyClicks(dialog.search, "convnext_")
    first, second = shown(dialog)[:2]
    assert dialog.selected().name == first
    qtbot.keyClick(dialog.search, Qt.Key.Key_Down)
    assert dialog.selected().name == second
    with qtbot.waitSignal(dialog.chosen) as told:
        qtbot.keyClick(dialog.search, Qt.Key.Key_Return)
    assert told.args == [second, "scratch"]


def test_published_weights_are_chosen_with_their_tag_and_licence(open_picker, qtbot):
    dialog = open_picker("convnext_tiny")
    dialog.search.setText("convnext_tiny dinov3")
    assert "dinov3-license" in dialog.weights.currentText(), "what was searched for is offered first"
    with qtbot.waitSignal(dialog.chosen) as told:
        qtbot.mouseClick(dialog._choose, Qt.MouseButton.LeftButton)
    assert told.args == ["convnext_tiny.dinov3_lvd1689m", "timm"]


@pytest.mark.parametrize("gpu", [False, True])
def test_a_few_are_recommended_for_this_machine_first(open_picker, qtbot, gpu):
    dialog = open_picker(gpu=gpu)
    advised = [a for a in RECOMMENDED if a.device == ("cuda" if gpu else "cpu")]
    buttons = [dialog.findChild(object, f"backbones.advised.{a.name}") for a in RECOMMENDED]
    assert all(buttons)
    own = [b for b, a in zip(buttons, RECOMMENDED, strict=True) if a in advised]
    others = [b for b, a in zip(buttons, RECOMMENDED, strict=True) if a not in advised]
    left = [b.mapTo(dialog, b.rect().topLeft()).x() for b in own]
    assert max(left) < min(b.mapTo(dialog, b.rect().topLeft()).x() for b in others)
    dialog.search.setText("no such thing")
    qtbot.mouseClick(own[-1], Qt.MouseButton.LeftButton)
    assert dialog.selected().name == advised[-1].name


def test_a_measured_machine_is_told_and_changes_the_figures(open_picker):
    guessed = open_picker()
    assert "guess" in guessed.basis.text()
    remember(Machine(conv=1e6, vit=1e6, measured=True, device="a fast one"))
    measured = open_picker()
    assert "as measured on a fast one" in measured.basis.text()
    assert guessed.model._estimates["resnet18"].seconds > measured.model._estimates["resnet18"].seconds


def test_a_checkpoint_file_selects_its_backbone_and_tells_what_it_gives(open_picker, qtbot, tmp_path):
    import timm

    torch.save({"state_dict": timm.create_model("convnext_atto").state_dict()}, tmp_path / "mine.pth")
    dialog = open_picker()
    dialog.inspect_file(str(tmp_path / "mine.pth"))
    assert "Looking into mine.pth" in dialog.note.text()
    qtbot.waitUntil(lambda: "tensors used" in dialog.note.text(), timeout=PATIENCE)
    assert dialog.selected().name == "convnext_atto"
    with qtbot.waitSignal(dialog.chosen) as told:
        qtbot.mouseClick(dialog._choose, Qt.MouseButton.LeftButton)
    assert told.args == ["convnext_atto", str(tmp_path / "mine.pth")]


def test_a_file_that_is_no_checkpoint_is_told_in_the_dialog(open_picker, qtbot, tmp_path):
    (tmp_path / "x.pth").write_bytes(b"not a checkpoint")
    dialog = open_picker()
    dialog.inspect_file(str(tmp_path / "x.pth"))
    qtbot.waitUntil(lambda: "x.pth" in dialog.note.text() and "Looking" not in dialog.note.text(), timeout=PATIENCE)
    assert dialog.selected().name == "resnet18", "what was chosen stays"


def test_the_panel_asks_for_the_picker_and_takes_its_answer(qtbot):
    panel = PretrainPanel()
    qtbot.addWidget(panel)
    panel.draw(PretrainState(128))
    panel.advanced.head.setChecked(True)
    panel.show()
    with qtbot.waitSignal(panel.backbone_wanted) as told:
        qtbot.mouseClick(panel.choose, Qt.MouseButton.LeftButton)
    assert told.args[0] == panel.recipe().backbone
    panel.take_backbone("convnext_tiny.dinov3_lvd1689m", "timm")
    assert (panel.recipe().backbone, panel.recipe().start) == ("convnext_tiny.dinov3_lvd1689m", "timm")
