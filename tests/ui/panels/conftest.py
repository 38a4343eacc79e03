"""States of every panel, as the window would draw them."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from sslstudio.runs.folder import RunState
from sslstudio.runs.naming import waiting_words
from sslstudio.ui import theme
from sslstudio.ui.panels.export import ExportPanel
from sslstudio.ui.panels.finetune import FinetunePanel
from sslstudio.ui.panels.images import ImagesPanel
from sslstudio.ui.panels.live import Curve, LiveRun, Thumb
from sslstudio.ui.panels.paint import PaintPanel
from sslstudio.ui.panels.pretrain import PretrainPanel
from sslstudio.ui.panels.review import ReviewPanel
from sslstudio.ui.panels.states import (
    AttentionState,
    Choice,
    ClassRow,
    ExportRow,
    ExportState,
    FinetuneState,
    ImagesState,
    ModelRow,
    PaintState,
    PretrainState,
    ProblemRow,
    ReviewState,
    RunRow,
)

FIGURES = {
    "loss": 1.25,
    "images_per_second": 152.4,
    "data_wait": 0.03,
    "effective_rank": 34.2,
    "feature_width": 512,
    "miou": 0.78,
    "iou/background": 0.94,
    "iou/nucleus": 0.78,
}
CURVE = Curve(tuple(range(50)), tuple(5 / (1 + step) for step in range(50)))
CLASSES = (ClassRow("background", "#999999", 4000), ClassRow("nucleus", "#E69F00", 812))
ONE_PAINTED = (CLASSES[0], ClassRow("nucleus", "#E69F00"))
ROWS = (
    RunRow("r2", "14:05 · SimCLR · ResNet-18", "finished", 10.02, "healthy", "good", used=True),
    RunRow("r1", "13:00 · DINO · ViT tiny, 16 px", "interrupted", 3.0, "narrow", "fair", resumable=True),
    RunRow("r0", "12:00 · MAE · ViT small, 16 px", "could not go on", 0.1, usable=False),
)
ATTENTION = AttentionState(shown=True, heads=3, hover=True)
NO_ATTENTION = AttentionState(available=False, why_not="ResNet-18 has no attention. Choose a ViT.")
MODELS = (ModelRow("cells", metrics=FIGURES), ModelRow("second try"))


def a_run(folder: Path, state: RunState = RunState.RUNNING, **more: object) -> LiveRun:
    """A run in the middle of its work, with curves and three pictures."""
    thumbs = []
    for place, colour in enumerate(("red", "green", "blue")):
        picture = QImage(64, 48, QImage.Format.Format_RGB32)
        picture.fill(QColor(colour))
        picture.save(str(folder / f"{place}.png"))
        thumbs.append(Thumb("attention", f"cell_{place}.tif", folder / f"{place}.png", 300))
    run = LiveRun("run-1", folder, state, phase="Learning", share=0.62, step=396, steps=600, seconds_left=233.0)
    curves = {"loss": CURVE, "miou": CURVE}
    return replace(run, figures=FIGURES, curves=curves, thumbs=tuple(thumbs), **more)


def states(folder: Path) -> dict[str, list]:
    """Every state worth drawing, by panel."""
    run = a_run(folder)
    ends = [replace(run, state=state) for state in RunState]
    choices = (Choice("r2", "14:05 · SimCLR · ResNet-18 (latest)"),)
    problems = (ProblemRow("deep/a_very_long_name_of_a_file_that_has_no_end_0001.tif", "The file is empty."),)
    facts = ("From 360 × 360 to 2048 × 2048 pixels", "120 colour, 8 grey", "8 bits per pixel value")
    return {
        "images": [
            ImagesState(),
            ImagesState(project=True),
            ImagesState(True, "/home/anna/" + "cells/" * 12, 128, facts, problems, "microscopy"),
            ImagesState(True, "/cells", 20000, scanning=True),
            ImagesState(True, "/cells", 20000, checked=5000),
            ImagesState(True, "/cells", 128, facts, folder_missing=True),
        ],
        "pretrain": [
            PretrainState(),
            PretrainState(128, reason="Works with small folders.", attention=NO_ATTENTION),
            *(PretrainState(128, run=end, earlier=ROWS, attention=ATTENTION) for end in ends),
            PretrainState(128, run=LiveRun("x", folder, phase=waiting_words("Fine-tuning of model-1", 130.0, more=1))),
        ],
        "paint": [
            PaintState(),
            PaintState(128, classes=ONE_PAINTED, current=1),
            PaintState(128, 3, 24, CLASSES, 1),
        ],
        "finetune": [
            FinetuneState(),
            FinetuneState(1, ONE_PAINTED),
            FinetuneState(6, CLASSES, choices, "r2"),
            FinetuneState(6, CLASSES, choices, "r2", reason="All images have 5 channels, and each of them is seen."),
            *(FinetuneState(6, CLASSES, choices, "r2", run=end, earlier=ROWS) for end in ends),
        ],
        "review": [
            ReviewState(),
            ReviewState(128, MODELS, "cells", has_prediction=True, confidence=0.96, attention=ATTENTION),
            ReviewState(128, MODELS, "cells", "beside", has_prediction=True, has_mask=True, agreement=0.8, run=run),
            ReviewState(128, MODELS, "cells", busy=True, attention=NO_ATTENTION),
        ],
        "export": [
            ExportState(),
            ExportState(MODELS, "cells"),
            ExportState(MODELS, "cells", run),
            ExportState(MODELS, "cells", replace(run, state=RunState.FAILED, warning="The disk is full.")),
            ExportState(
                MODELS,
                "cells",
                results=(ExportRow("ONNX", folder / ("deep/" * 12) / "model.onnx", "agrees with PyTorch", "good"),),
            ),
        ],
    }


PANELS = {
    "images": ImagesPanel,
    "pretrain": PretrainPanel,
    "paint": PaintPanel,
    "finetune": FinetunePanel,
    "review": ReviewPanel,
    "export": ExportPanel,
}


@pytest.fixture(autouse=True)
def _theme(qapp: QApplication) -> None:
    theme.apply(qapp, dark=False)


@pytest.fixture
def panel(request: pytest.FixtureRequest, qtbot):
    """The panel named by the test's parameter, or made by the test through the class itself."""
    made = PANELS[request.param]()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def show(qtbot):
    """Make a panel of this name, draw a state and show it."""

    def made(name: str, state: object):
        panel = PANELS[name]()
        qtbot.addWidget(panel)
        panel.resize(320, 900)
        panel.draw(state)
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return made
