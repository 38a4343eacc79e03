"""A form made from a recipe's declaration: one row per setting, its help, its way back to the suggestion."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from sslstudio.errors import UserError
from sslstudio.language import tr
from sslstudio.recipes.backbones import check_backbone, kind_of
from sslstudio.recipes.methods import METHODS
from sslstudio.recipes.settings import Recipe, Setting, build, settings_of
from sslstudio.ui.panels.blocks import Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Check, Combo, Line, Number, Whole
from sslstudio.ui.panels.parts import label
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.theme import SMALL, SPACE, TEXT, font, tone

NUMBER_WIDTH = 112
FINE = 1e-3  # a range that begins below this is typed as text: a spin box would round 1e-7 away


class Row(QWidget):
    """One setting: label, control, reset and, when needed, a sentence about what does not fit.

    Signals:
        changed: The user changed the value.
    """

    changed = Signal()

    def __init__(self, name: str, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        self._suggested: Any = setting.default
        self.touched = False
        self.control = _control(name, setting)
        self.reset = Button(f"{name}.reset", "", "link", "undo", tr("Reset to suggested"))
        self.reset.setAccessibleName(tr("Reset {label} to suggested").format(label=setting.label))
        self.reset.setFixedWidth(20)
        self.problem = label(size=SMALL)
        self.problem.hide()
        self._lay_out()
        self.control.setToolTip(setting.help)
        self.control.setAccessibleDescription(setting.help)
        _on_change(self.control, self._on_changed)
        self.reset.clicked.connect(self._on_reset)
        self._show(self._suggested)
        self._mark()

    def suggest(self, value: Any) -> None:
        """Take a new suggestion; a row that the user changed stays as it is."""
        self._suggested = value
        if not self.touched:
            self._show(value)
        self._mark()

    def value(self) -> Any:
        """What the control holds; text that is no number stays text and is told by the recipe."""
        control = self.control
        if isinstance(control, Check):
            return control.isChecked()
        if isinstance(control, Number | Whole):
            return control.value()
        if isinstance(control, Combo):
            return _combo_value(control)
        return _number_or_text(control.text())

    def put(self, value: Any) -> None:
        """Set the value as if the user had."""
        self._show(value)
        self._on_changed()

    def add_beside(self, button: Button) -> None:
        """Put a button to the right of a wide control."""
        grid = self.layout()
        assert isinstance(grid, QGridLayout)
        grid.addWidget(self.control, 1, 0, 1, 2)
        grid.addWidget(button, 1, 2)

    def complain(self, text: str) -> None:
        """Show a sentence below the row; nothing for an empty text."""
        palette = self.problem.palette()
        palette.setColor(self.problem.foregroundRole(), tone().error)
        self.problem.setPalette(palette)
        self.problem.setText(text)
        self.problem.setVisible(bool(text))

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(SPACE // 2)
        grid.setVerticalSpacing(2)
        name = label(self.setting.label, wrap=False)
        name.setToolTip(self.setting.help)
        name.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        name.setBuddy(self.control)
        grid.setColumnStretch(0, 1)
        grid.addWidget(name, 0, 0)
        grid.addWidget(self.reset, 0, 1)
        if isinstance(self.control, Combo):
            grid.addWidget(self.control, 1, 0, 1, 3)
        else:
            grid.addWidget(self.control, 0, 2, Qt.AlignmentFlag.AlignRight)
        hold = self.reset.sizePolicy()
        hold.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(hold)
        grid.addWidget(self.problem, 2, 0, 1, 3)

    def _show(self, value: Any) -> None:
        control = self.control
        control.blockSignals(True)
        if isinstance(control, Check):
            control.setChecked(bool(value))
        elif isinstance(control, Number):
            control.setValue(float(value))
        elif isinstance(control, Whole):
            control.setValue(int(value))
        elif isinstance(control, Combo):
            place = control.findData(value)
            control.setCurrentIndex(place)
            if place < 0 and control.isEditable():
                control.setEditText(str(value))
        else:
            control.setText(f"{value:g}" if isinstance(value, float) else str(value))
        control.blockSignals(False)

    def _on_changed(self) -> None:
        self.touched = self.value() != self._suggested
        self.complain("")
        self._mark()
        self.changed.emit()

    def _on_reset(self) -> None:
        self.put(self._suggested)
        self.control.setFocus()

    def _mark(self) -> None:
        self.reset.setVisible(self.touched)


class SettingsForm(QWidget):
    """The rows of a recipe class; with ``method`` in it, the method and its own settings too.

    Signals:
        changed: The user changed a value.
    """

    changed = Signal()

    def __init__(self, name: str, recipe: type[Recipe], hide: Collection[str] = ()) -> None:
        super().__init__()
        self.setObjectName(name)
        self.recipe = recipe
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        self.method: MethodForm | None = None
        if "method" in recipe.model_fields:
            self.method = MethodForm(f"{name}.method")
            self.method.changed.connect(self._on_changed)
            box.addWidget(self.method)
        self.rows: dict[str, Row] = {}
        for setting in settings_of(recipe):
            row = Row(f"{name}.{setting.key}", setting)
            row.changed.connect(self._on_changed)
            self.rows[setting.key] = row
            if setting.key not in hide:
                box.addWidget(row)
            else:
                row.setParent(self)
                row.hide()
        self._check_fit()

    def suggest(self, recipe: Recipe) -> None:
        """Show a recipe as the suggestion; rows that the user changed keep their value."""
        for key, row in self.rows.items():
            row.suggest(getattr(recipe, key))
        if self.method is not None:
            self.method.suggest(recipe.method)  # type: ignore[attr-defined]
        self._check_fit()

    def values(self) -> dict[str, Any]:
        """What the form holds, not yet checked."""
        found = {key: row.value() for key, row in self.rows.items()}
        if self.method is not None:
            found["method"] = self.method.values()
        return found

    def read(self) -> Recipe | None:
        """The checked recipe, or None with the reasons shown beside the rows that cause them."""
        good = self._complain() and not self.misfit()
        if self.method is not None:
            good = self.method.complain() and good
        return build(self.recipe, self.values()) if good else None

    def misfit(self) -> str:
        """Why the chosen method and backbone do not go together, or no such backbone exists; empty when all is well."""
        if self.method is None:
            return ""
        try:
            check_backbone(str(self.rows["backbone"].value()))
        except UserError as error:
            return f"{error.problem} {error.advice}"
        method = METHODS[self.method.chosen()]
        if kind_of(str(self.rows["backbone"].value())) in method.backbones:
            return ""
        needed = {"vit": tr("a ViT"), "conv": tr("a convolutional network")}[method.backbones[0]]
        return tr("{name} needs {needed} as backbone. Choose one below, or another method.").format(
            name=method.name, needed=needed
        )

    def wishes(self) -> tuple[str, str]:
        """The method and the backbone that the user chose; empty for what is as suggested."""
        backbone = self.rows["backbone"]
        method = self.method.chosen() if self.method is not None and self.method.touched else ""
        return method, str(backbone.value()) if backbone.touched else ""

    def set_usable(self, keys: Collection[str], usable: bool) -> None:
        """Grey out settings that have no effect now."""
        for key in keys:
            self.rows[key].setEnabled(usable)

    def _complain(self) -> bool:
        good = True
        for key, row in self.rows.items():
            text = complaint(self.recipe, row.setting, row.value(), key)
            row.complain(text)
            good = good and not text
        return good

    def _check_fit(self) -> None:
        if self.method is not None:
            self.method.misfit.say(self.misfit(), "fair")

    def _on_changed(self) -> None:
        self._check_fit()
        self.changed.emit()


class MethodForm(QWidget):
    """Which self-supervised method, in one sentence, and the settings that are its own.

    Signals:
        changed: The user changed the method or one of its settings.
    """

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.touched = False
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        self.combo = Combo(f"{name}.id", tr("Method"))
        self.combo.draw(tuple(Choice(i.id, f"{i.name} ({i.year})", tr(i.summary)) for i in METHODS.values()), "simclr")
        self.summary = label(size=SMALL, quiet=True, lines=3)
        self.misfit = Notice(f"{name}.misfit")
        self.forms = {info.id: SettingsForm(f"{name}.{info.id}", info.recipe) for info in METHODS.values()}
        title = label(tr("Method"), wrap=False)
        title.setBuddy(self.combo)
        for widget in (title, self.combo, self.summary, self.misfit, *self.forms.values()):
            box.addWidget(widget)
        for form in self.forms.values():
            form.changed.connect(self.changed)
        self.combo.activated.connect(self._on_activated)
        self._show(self.chosen())

    def chosen(self) -> str:
        """The id of the method."""
        return str(self.combo.currentData())

    def choose(self, method: str) -> None:
        """Choose a method as if the user had."""
        self._show(method)
        self._on_activated()

    def suggest(self, recipe: Recipe) -> None:
        """Show a method's recipe as the suggestion; a method that the user chose stays."""
        method = str(recipe.id)  # type: ignore[attr-defined]
        self.forms[method].suggest(recipe)
        if not self.touched:
            self._show(method)

    def values(self) -> dict[str, Any]:
        """The method's id and its settings."""
        return {"id": self.chosen(), **self.forms[self.chosen()].values()}

    def complain(self) -> bool:
        """Show what does not fit beside its row; True when all fits."""
        return self.forms[self.chosen()].read() is not None

    def _show(self, method: str) -> None:
        self.combo.setCurrentIndex(self.combo.findData(method))
        self.summary.setText(tr(METHODS[method].summary))
        for key, form in self.forms.items():
            form.setVisible(key == method)

    def _on_activated(self) -> None:
        self.touched = True
        self._show(self.chosen())
        self.changed.emit()


def complaint(recipe: type[Recipe], setting: Setting, value: Any, key: str) -> str:
    """What is the matter with one value, in plain words; empty when nothing is."""
    try:
        build(recipe, {key: value})
    except UserError:
        if setting.low is not None and setting.high is not None:
            return tr("Type a number from {low:g} to {high:g}.").format(low=setting.low, high=setting.high)
        return tr("Choose one of the values offered.")
    if setting.kind == "text" and setting.default and not str(value).strip():
        return tr("Type a name or choose one.")
    return ""


def _control(name: str, setting: Setting) -> Check | Number | Whole | Combo | Line:
    if setting.kind == "bool":
        check = Check(name)
        check.setAccessibleName(setting.label)
        return check
    if setting.kind == "choice" or (setting.kind == "text" and setting.choices):
        combo = Combo(name, setting.label)
        combo.setEditable(setting.kind == "text")
        combo.setInsertPolicy(Combo.InsertPolicy.NoInsert)
        line = combo.lineEdit()
        if line is not None:
            line.setTextMargins(SPACE // 2, 0, 0, 0)
            line.setObjectName(f"{name}.text")
            line.setAccessibleName(setting.label)
        combo.draw(tuple(Choice(key, text) for key, text in setting.choices.items()), str(setting.default))
        return combo
    if setting.kind == "int" or (setting.kind == "float" and (setting.low is None or setting.low >= FINE)):
        return _spin(name, setting)
    if setting.kind == "float" and setting.low == 0:
        return _spin(name, setting)
    field = Line(name, setting.label)
    field.setFixedWidth(NUMBER_WIDTH)
    field.setFont(font(TEXT, tabular=True))
    return field


def _spin(name: str, setting: Setting) -> Number | Whole:
    low = setting.low if setting.low is not None else -1e9
    high = setting.high if setting.high is not None else 1e9
    if setting.kind == "int":
        whole = Whole(name, setting.label)
        whole.setRange(int(low), int(high))
        box: Number | Whole = whole
    else:
        number = Number(name, setting.label)
        number.setDecimals(4)
        number.setRange(low, high)
        number.setSingleStep(0.05 if high <= 1 else 1)
        box = number
    box.setFixedWidth(NUMBER_WIDTH)
    if setting.unit:
        box.setSuffix(f" {setting.unit}")
    return box


def _on_change(control: QWidget, told: Any) -> None:
    if isinstance(control, Check):
        control.toggled.connect(told)
    elif isinstance(control, Number | Whole):
        control.valueChanged.connect(told)
    elif isinstance(control, Combo):
        control.currentIndexChanged.connect(told)
        if control.isEditable():
            control.editTextChanged.connect(told)
    elif isinstance(control, Line):
        control.textEdited.connect(told)


def _combo_value(combo: Combo) -> str:
    if combo.isEditable():
        text = combo.currentText().strip()
        place = combo.findText(text)
        return str(combo.itemData(place)) if place >= 0 else text
    return str(combo.currentData())


def _number_or_text(text: str) -> float | str:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


__all__ = ["MethodForm", "Row", "SettingsForm", "complaint"]
