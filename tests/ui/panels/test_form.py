"""The form that is made from a recipe's declaration."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sslstudio.recipes.finetune import FinetuneRecipe
from sslstudio.recipes.methods import METHODS, DINORecipe
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.recipes.settings import build, settings_of, with_changes
from sslstudio.ui.panels.form import SettingsForm
from sslstudio.ui.panels.pretrain import PretrainPanel
from sslstudio.ui.panels.states import PretrainState

RECIPES = [PretrainRecipe, FinetuneRecipe, *(info.recipe for info in METHODS.values())]


def form_of(recipe, qtbot) -> SettingsForm:
    form = SettingsForm("form", recipe)
    qtbot.addWidget(form)
    form.show()
    qtbot.waitExposed(form)
    return form


@pytest.mark.parametrize("recipe", RECIPES)
def test_an_untouched_form_gives_the_suggested_recipe(recipe, qtbot):
    form = form_of(recipe, qtbot)
    suggested = recipe()
    form.suggest(suggested)
    assert form.read() == suggested
    assert build(recipe, form.values()) == suggested


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_setting_has_a_row_with_its_help(recipe, qtbot):
    form = form_of(recipe, qtbot)
    for setting in settings_of(recipe):
        control = form.rows[setting.key].control
        assert control.toolTip() == setting.help == control.accessibleDescription()
        assert control.accessibleName() == setting.label
        assert control.isVisible()


def test_every_method_of_the_table_can_be_chosen_in_the_panel_with_its_own_settings(qtbot):
    panel = PretrainPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 1400)
    panel.draw(PretrainState(images=9))
    panel.show()
    qtbot.waitExposed(panel)
    panel.form.setVisible(True)
    methods = panel.form.method
    combo = methods.combo
    assert [combo.itemData(row) for row in range(combo.count())] == list(METHODS)
    assert len(METHODS) >= 19
    for row, (name, info) in enumerate(METHODS.items()):
        with qtbot.waitSignal(methods.changed, timeout=5000):
            combo.setFocus()
            QTest.keyClick(combo, Qt.Key.Key_Home)
            for _ in range(row):
                QTest.keyClick(combo, Qt.Key.Key_Down)
            combo.activated.emit(combo.currentIndex())
        assert combo.currentText() == f"{info.name} ({info.year})"
        assert methods.summary.text() == info.summary
        own = methods.forms[name]
        assert [form for form in methods.forms.values() if not form.isHidden()] == [own]
        assert set(own.rows) == {setting.key for setting in settings_of(info.recipe)}
        assert build(info.recipe, methods.values()) == info.recipe()


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_value_at_the_ends_of_its_range_survives_the_form(recipe, qtbot):
    form = form_of(recipe, qtbot)
    for setting in settings_of(recipe):
        ends = list(setting.choices) if setting.kind == "choice" else [setting.low, setting.high]
        for value in [end for end in ends if end is not None]:
            if setting.key == "id":
                continue
            form.rows[setting.key].put(value)
            read = form.read()
            assert read is not None
            assert getattr(read, setting.key) == pytest.approx(value) if setting.low is not None else value


def test_a_typed_number_outside_the_range_is_told_beside_its_row_and_nowhere_else(qtbot):
    form = form_of(PretrainRecipe, qtbot)
    line = form.rows["learning_rate"].control
    line.selectAll()
    qtbot.keyClicks(line, "7")
    assert form.read() is None
    row = form.rows["learning_rate"]
    assert row.problem.isVisible()
    assert row.problem.text() == "Type a number from 1e-07 to 1."
    assert [key for key, other in form.rows.items() if other.problem.isVisible()] == ["learning_rate"]
    line.selectAll()
    qtbot.keyClicks(line, "0.002")
    assert not row.problem.isVisible()
    assert form.read().learning_rate == 0.002


def test_text_that_is_no_number_is_told_in_place(qtbot):
    form = form_of(PretrainRecipe, qtbot)
    line = form.rows["learning_rate"].control
    line.selectAll()
    qtbot.keyClicks(line, "fast")
    assert form.read() is None
    assert form.rows["learning_rate"].problem.isVisible()


def test_an_empty_backbone_is_told_in_place(qtbot):
    form = form_of(PretrainRecipe, qtbot)
    form.rows["backbone"].control.setEditText("")
    assert form.read() is None
    assert form.rows["backbone"].problem.text() == "Type a name or choose one."


def test_any_timm_name_can_be_typed(qtbot):
    form = form_of(PretrainRecipe, qtbot)
    line = form.rows["backbone"].control.lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "vit_medium_patch16_rope_reg1_gap_256")
    assert form.read().backbone == "vit_medium_patch16_rope_reg1_gap_256"


def test_a_changed_row_keeps_its_value_until_it_is_reset(qtbot):
    form = form_of(PretrainRecipe, qtbot)
    row = form.rows["resolution"]
    assert not row.reset.isVisible()
    row.control.setValue(224)
    assert row.reset.isVisible()
    form.suggest(with_changes(PretrainRecipe(), {"resolution": 96, "batch_size": 16}))
    assert form.read().resolution == 224
    assert form.read().batch_size == 16
    qtbot.mouseClick(row.reset, Qt.MouseButton.LeftButton)
    assert form.read().resolution == 96
    assert not row.reset.isVisible()


def test_the_settings_of_the_chosen_method_are_shown_and_read(qtbot):
    form = form_of(PretrainRecipe, qtbot)
    form.method.choose("dino")
    assert form.method.summary.text() == METHODS["dino"].summary
    assert form.method.forms["dino"].isVisible()
    assert not form.method.forms["simclr"].isVisible()
    form.method.forms["dino"].rows["local_crops"].control.setValue(2)
    assert form.read().method == DINORecipe(local_crops=2)


def test_a_method_that_does_not_fit_the_backbone_is_told_before_the_start(qtbot):
    form = form_of(PretrainRecipe, qtbot)
    form.method.choose("mae")
    assert form.method.misfit.isVisible()
    assert "MAE needs a ViT" in form.method.misfit.text()
    assert form.read() is None
    form.rows["backbone"].put("vit_tiny_patch16_224")
    assert not form.method.misfit.isVisible()
    assert form.read().method.id == "mae"
    form.method.choose("spark")
    assert "SparK needs a convolutional network" in form.method.misfit.text()


def test_a_method_chosen_by_the_user_outlives_a_new_suggestion(qtbot):
    form = form_of(PretrainRecipe, qtbot)
    form.method.choose("dino")
    form.suggest(PretrainRecipe())
    assert form.method.chosen() == "dino"
