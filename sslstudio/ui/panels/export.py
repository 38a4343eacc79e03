"""The export panel: a model becomes files that other programs read."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sslstudio.language import later, tr
from sslstudio.ui.panels.blocks import Dot, Notice
from sslstudio.ui.panels.buttons import Button
from sslstudio.ui.panels.fields import Combo
from sslstudio.ui.panels.panel import Panel
from sslstudio.ui.panels.parts import RADIUS, label, question
from sslstudio.ui.panels.review import model_choices
from sslstudio.ui.panels.running import Empty, RunBox
from sslstudio.ui.panels.states import ExportRow, ExportState, ModelRow
from sslstudio.ui.panels.words import quality_sentence
from sslstudio.ui.theme import SMALL, SPACE

NO_MODEL = later("There is nothing to export yet. Fine-tune on a few masks first.")
FORMATS = (
    ("onnx", "ONNX", later("For any program: images of any size go in as they are.")),
    ("backbone", later("PyTorch backbone"), later("The learned features, for timm, as safetensors.")),
)


class ExportPanel(Panel):
    """Draws ``ExportState``.

    Signals:
        model_chosen: A model's name.
        export_wanted: onnx, backbone or all.
        open_folder_wanted: The path of a result.
        stop_wanted: A run's id.
        finetune_wanted: Go to that step.
    """

    model_chosen = Signal(str)
    export_wanted = Signal(str)
    open_folder_wanted = Signal(str)
    stop_wanted = Signal(str)
    finetune_wanted = Signal()

    ID = "panel.export"
    NAME = later("Export")
    SENTENCE = later("Take the model with you: files that other programs read, each checked before it is called done.")

    def draw(self, state: ExportState) -> None:
        """Show ``state``; no other code touches these widgets."""
        running = state.run is not None and state.run.active
        self.empty.setVisible(not state.models)
        self.body.setVisible(bool(state.models))
        self.model.draw(model_choices(state.models), state.model)
        chosen = next((model for model in state.models if model.name == state.model), ModelRow(""))
        self.quality.setText(_quality(chosen))
        self.buttons.setVisible(not running)
        self.run.setVisible(running)
        if state.run is not None:
            self.run.draw(state.run)
        ended_badly = state.run is not None and not running and bool(state.run.warning)
        self.problem.say(" ".join((state.run.warning, state.run.advice)) if state.run and ended_badly else "")
        self._draw_results(state.results)

    def _fill(self) -> None:
        self.empty = Empty(self._id("empty"), "export", tr(NO_MODEL), tr("Go to fine-tuning"))
        self.body = QWidget()
        self.column.addWidget(self.empty)
        self.column.addWidget(self.body)
        box = QVBoxLayout(self.body)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE)
        self.model = Combo(self._id("model"), tr("Which model?"))
        self.quality = label(size=SMALL, quiet=True, lines=2)
        self.run = RunBox(self._id("run"), pausable=False)
        self.problem = Notice(self._id("problem"))
        box.addWidget(question(tr("Which model?")))
        box.addWidget(self.model)
        box.addWidget(self.quality)
        box.addWidget(self._fill_buttons())
        box.addWidget(self.run)
        box.addWidget(self.problem)
        self._fill_results(box)
        self.empty.wanted.connect(self.finetune_wanted)
        self.model.activated.connect(self._on_model)
        self.run.stop_wanted.connect(self.stop_wanted)

    def _fill_buttons(self) -> QWidget:
        self.buttons = QWidget()
        box = QVBoxLayout(self.buttons)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(SPACE // 2)
        self.all = Button(self._id("all"), tr("Export everything"), "primary")
        box.addWidget(self.all)
        box.addWidget(label(tr("ONNX, PyTorch backbone and a model card in one folder."), SMALL, quiet=True))
        self.all.clicked.connect(self._on_all)
        self.single: dict[str, Button] = {}
        for key, name, what in FORMATS:
            box.addSpacing(SPACE)
            button = Button(self._id(key), tr("Export {name}").format(name=tr(name)), tip=tr(what))
            button.clicked.connect(self._on_single)
            self.single[key] = button
            box.addWidget(button)
            box.addWidget(label(tr(what), SMALL, quiet=True))
        return self.buttons

    def _fill_results(self, box: QVBoxLayout) -> None:
        self.results_title = question(tr("Exported"))
        self.results = QVBoxLayout()
        self.results.setSpacing(SPACE)
        self._rows: tuple[ExportRow, ...] = ()
        self._cards: list[ResultCard] = []
        box.addSpacing(SPACE)
        box.addWidget(self.results_title)
        box.addLayout(self.results)

    def _draw_results(self, rows: tuple[ExportRow, ...]) -> None:
        self.results_title.setVisible(bool(rows))
        if rows == self._rows:
            return
        self._rows = rows
        for card in self._cards:
            self.results.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards = []
        for place, row in enumerate(rows):
            card = ResultCard(self._id(f"result.{place}"), row)
            card.open_wanted.connect(self.open_folder_wanted)
            self.results.addWidget(card)
            self._cards.append(card)

    def _on_model(self) -> None:
        self.model_chosen.emit(str(self.model.currentData()))

    def _on_all(self) -> None:
        self.export_wanted.emit("all")

    def _on_single(self) -> None:
        pressed = self.sender()
        self.export_wanted.emit(next(key for key, button in self.single.items() if button is pressed))


class ResultCard(QWidget):
    """One exported file: what, where, what the check said.

    Signals:
        open_wanted: The path.
    """

    open_wanted = Signal(str)

    def __init__(self, name: str, row: ExportRow) -> None:
        super().__init__()
        self.setObjectName(name)
        self._row = row
        box = QVBoxLayout(self)
        box.setContentsMargins(SPACE, SPACE, SPACE, SPACE)
        box.setSpacing(SPACE // 2)
        box.addWidget(label(row.title, bold=True))
        self.path = label(_breakable(str(row.path)), SMALL, quiet=True)
        self.path.setToolTip(str(row.path))
        self.path.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.addWidget(self.path)
        if row.check:
            line = QHBoxLayout()
            line.setSpacing(SPACE // 2)
            dot = Dot()
            dot.set_level(row.level)
            line.addWidget(dot, 0, Qt.AlignmentFlag.AlignTop)
            line.addWidget(label(row.check[:1].upper() + row.check[1:], SMALL), 1)
            box.addLayout(line)
        self.open = Button(f"{name}.open", tr("Open folder"), "link", "folder")
        self.open.setAccessibleName(tr("Open the folder of {title}").format(title=row.title))
        box.addWidget(self.open)
        self.open.clicked.connect(self._on_open)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a quiet ground."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().color(QPalette.ColorRole.AlternateBase))
        painter.drawRoundedRect(QRectF(self.rect()), RADIUS, RADIUS)

    def _on_open(self) -> None:
        self.open_wanted.emit(str(self._row.path))


def _breakable(path: str) -> str:
    """A path that may wrap after each separator."""
    return path.replace("/", "/\u200b").replace("\\", "\\\u200b")


def _quality(model: ModelRow) -> str:
    names = [key.removeprefix("iou/") for key in model.metrics if key.startswith("iou/")]
    return quality_sentence(model.metrics, names) or tr("This model was not measured on masks kept aside.")
