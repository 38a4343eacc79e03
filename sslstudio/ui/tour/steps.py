"""The steps of the tour, in order; each does what a person would do and checks what is seen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage

from sslstudio.project.masks import read_mask
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.tour.acts import ANSWER, next_image, on_canvas, paint_image, see_out, watch
from sslstudio.ui.tour.driver import SIZE, Driver
from sslstudio.ui.tour.painting_tools import PAINTING_TOOLS
from sslstudio.ui.tour.seeing import SEEING
from sslstudio.ui.tour.stacks import STACKS

PRETRAIN_MINUTES, FINETUNE_MINUTES = "0.6", "0.6"
PAINTED = 4  # images
STROKES = 5  # per class and image, at most
BACKBONE = "vit_tiny_patch16_224"  # a ViT, so that there is attention to see


def welcome(driver: Driver) -> None:
    """The welcome page."""
    driver.window.resize(*SIZE)
    driver.window.show()
    driver.find("welcome.open")
    driver.shoot("welcome")


def open_sample(driver: Driver) -> None:
    """The sample is opened and looked through."""
    session = driver.window.session
    driver.click("welcome.sample")
    driver.wait(session.image_ready, lambda: session.labels is not None, ANSWER, "no image is shown.")
    driver.wait(session.checked, lambda: session.checking < 0, ANSWER, "the files are still being checked.")
    driver.check(len(session.records) >= 30, "The sample has too few images.")
    driver.find("panel.images.continue")
    driver.shoot("images")


def choose_kind(driver: Driver) -> None:
    """The kind of images is chosen by keyboard."""
    driver.key("panel.images.preset", Qt.Key.Key_Home)
    driver.key("panel.images.preset", Qt.Key.Key_Down)
    driver.rest()
    driver.check(driver.window.session.recall("preset", "") == "microscopy", "The preset was not kept.")
    driver.click("panel.images.continue")
    driver.shoot("pretrain")


def pretrain(driver: Driver) -> None:
    """Pretraining runs: curve, health, attention of pinned images."""
    driver.click("panel.pretrain.advanced.head")
    driver.type("panel.pretrain.set.backbone.text", BACKBONE)
    driver.find("panel.pretrain.set.resolution")
    driver.shoot("pretrain-advanced")
    driver.click("panel.pretrain.advanced.head")
    driver.type("panel.pretrain.minutes.exact", PRETRAIN_MINUTES)
    driver.click("panel.pretrain.start")
    watch(driver, "pretrain", _has_curve_and_pictures, "no curve or no attention pictures.")
    driver.find("panel.pretrain.live.loss")
    driver.shoot("pretraining")
    run = see_out(driver, "pretrain")
    driver.check(run.figures.get("effective_rank", 0) > 1, "The health of the features was not measured.")
    driver.find("panel.pretrain.outcome.next")
    driver.shoot("pretrained")


def paint(driver: Driver) -> None:
    """Every class is painted with the brush in a few images."""
    window, session = driver.window, driver.window.session
    driver.click("panel.pretrain.outcome.next")
    driver.find("strip.paint.brush")
    for number in range(PAINTED):
        if number:
            before = session.image
            driver.key("canvas", Qt.Key.Key_D)
            next_image(driver, before)
        _paint_sample(driver)
        if number == 0:
            driver.shoot("painting")
    pixels = session.project.class_pixels() if session.project else {}
    driver.check(len(pixels) == 3 and all(pixels.values()), f"Not every class was painted: {pixels}.")
    driver.rest()
    driver.check(window.panels["paint"].progress.text().startswith(f"{PAINTED} of"), "The panel does not count.")  # type: ignore[attr-defined]


def undo(driver: Driver) -> None:
    """A stroke is taken back and put back by keys."""
    session = driver.window.session
    assert session.labels is not None
    painted = session.labels.labels[:, :].copy()
    driver.window.actions_["edit.undo"].trigger()
    driver.check(not np.array_equal(painted, session.labels.labels[:, :]), "Undo changed nothing.")
    driver.window.actions_["edit.redo"].trigger()
    driver.check(np.array_equal(painted, session.labels.labels[:, :]), "Redo did not bring the stroke back.")


def finetune(driver: Driver) -> None:
    """Fine-tuning runs with the live overlay, then its result is told."""
    driver.click("panel.paint.continue")
    driver.rest()
    driver.shoot("finetune")
    driver.type("panel.finetune.minutes.exact", FINETUNE_MINUTES)
    driver.click("panel.finetune.start")
    review = driver.window.review
    watch(driver, "finetune", lambda run: review.shown_live > 0 and "loss" in run.curves, "no live overlay.")
    driver.shoot("fine-tuning")
    see_out(driver, "finetune")
    driver.find("panel.finetune.outcome.next")
    driver.shoot("fine-tuned")


def review(driver: Driver) -> None:
    """The model's answer is seen over and beside an image that nobody painted."""
    window, session = driver.window, driver.window.session
    driver.click("panel.finetune.outcome.next")
    before = session.image
    driver.key("canvas", Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    next_image(driver, before)
    driver.wait(
        session.inference.segmented, lambda: window.review.prediction is not None, ANSWER, "the model does not answer."
    )
    driver.shoot("review")
    driver.click("panel.review.view.beside")
    driver.shoot("review-beside")
    _swipe(driver)
    driver.click("panel.review.accept")
    driver.rest()
    record = session.current()
    driver.check(record is not None and record.painted > 0.99, "The prediction did not become the mask.")
    _differ(driver)


def _swipe(driver: Driver) -> None:
    """Left and right of the divider stand the mask, which is empty here, and the prediction."""
    driver.click("panel.review.view.over")
    driver.rest()
    over = _picture(driver)
    driver.click("panel.review.view.swipe")
    driver.shoot("review-swipe")
    same = (_picture(driver) == over).all(axis=2)
    middle = same.shape[1] // 2
    halves = same[:, : middle - 20].mean(), same[:, middle + 20 :].mean()
    driver.check(
        max(halves) > 0.98 > min(halves), f"Of what lay over the image, {halves[0]:.0%} and {halves[1]:.0%} are seen."
    )
    driver.click("panel.review.view.over")


def _differ(driver: Driver) -> None:
    """Where the mask says something else than the model is marked."""
    driver.rest()
    driver.key("canvas", Qt.Key.Key_1)
    driver.key("canvas", Qt.Key.Key_B)
    driver.drag(driver.window.canvas, [QPointF(on_canvas(driver, x, 0.5)) for x in (0.2, 0.8)])
    driver.hover(driver.window.canvas, on_canvas(driver, 0.5, 0.9))
    driver.rest()
    plain = _picture(driver)
    driver.click("panel.review.differences")
    driver.shoot("review-differences")
    driver.check(bool((_picture(driver) != plain).any()), "No difference is marked.")
    driver.click("panel.review.differences")
    driver.key("canvas", Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)


def _picture(driver: Driver) -> np.ndarray:
    """What the canvas shows, (h, w, 4) uint8."""
    image = driver.window.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4).copy()


def attention(driver: Driver) -> None:
    """What the network looks at, asked by hovering."""
    window = driver.window
    driver.click("panel.review.attention.shown")
    driver.wait(
        window.session.inference.attended, lambda: window.attention.maps is not None, ANSWER, "no attention is shown."
    )
    driver.hover(window.canvas, on_canvas(driver, 0.5, 0.5))
    driver.rest()
    driver.find("panel.review.attention.head")
    driver.shoot("attention")
    driver.click("panel.review.attention.shown")


def export(driver: Driver) -> None:
    """The model is exported and checked."""
    driver.click("step.export")
    driver.rest()
    driver.click("panel.export.all")
    run = see_out(driver, "export")
    driver.check(bool(run.result), "The export tells no result.")
    driver.rest()
    driver.find("panel.export.result.0.open")
    driver.shoot("export")


STEPS: tuple[Callable[[Driver], None], ...] = (
    welcome,
    open_sample,
    choose_kind,
    pretrain,
    paint,
    undo,
    *PAINTING_TOOLS,
    *SEEING,
    *STACKS,
    finetune,
    review,
    attention,
    export,
)


def _has_curve_and_pictures(run: LiveRun) -> bool:
    curve = run.curves.get("loss")
    return curve is not None and len(curve.steps) >= 3 and bool(run.thumbs) and run.share > 0.5


def _paint_sample(driver: Driver) -> None:
    """Paint strokes of each class where the sample's true mask has it."""
    image = driver.window.session.file()
    paint_image(driver, read_mask(image.parent.parent / "masks" / image.name), range(3), STROKES)
