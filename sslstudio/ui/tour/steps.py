"""The steps of the tour, in order; each does what a person would do and checks what is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt

from sslstudio.project.masks import read_mask
from sslstudio.runs.folder import RunState
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.tour.driver import SIZE, Driver

PRETRAIN_MINUTES, FINETUNE_MINUTES = "0.6", "0.6"
GOING = (RunState.WAITING, RunState.RUNNING, RunState.PAUSED)
# Seconds to wait at most; a busy machine takes many times as long as a free one.
RUN, ANSWER = 900, 300
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
    _watch(driver, "pretrain", _has_curve_and_pictures, "no curve or no attention pictures.")
    driver.find("panel.pretrain.live.loss")
    driver.shoot("pretraining")
    run = _see_out(driver, "pretrain")
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
            _next_image(driver, before)
        _paint_image(driver)
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
    painted = session.labels.labels.copy()
    driver.window.actions_["edit.undo"].trigger()
    driver.check(not np.array_equal(painted, session.labels.labels), "Undo changed nothing.")
    driver.window.actions_["edit.redo"].trigger()
    driver.check(np.array_equal(painted, session.labels.labels), "Redo did not bring the stroke back.")


def finetune(driver: Driver) -> None:
    """Fine-tuning runs with the live overlay, then its result is told."""
    driver.click("panel.paint.continue")
    driver.rest()
    driver.shoot("finetune")
    driver.type("panel.finetune.minutes.exact", FINETUNE_MINUTES)
    driver.click("panel.finetune.start")
    review = driver.window.review
    _watch(driver, "finetune", lambda run: review.shown_live > 0 and "loss" in run.curves, "no live overlay.")
    driver.shoot("fine-tuning")
    _see_out(driver, "finetune")
    driver.find("panel.finetune.outcome.next")
    driver.shoot("fine-tuned")


def review(driver: Driver) -> None:
    """The model's answer is seen over and beside an image that nobody painted."""
    window, session = driver.window, driver.window.session
    driver.click("panel.finetune.outcome.next")
    before = session.image
    driver.key("canvas", Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    _next_image(driver, before)
    driver.wait(
        session.inference.segmented, lambda: window.review.prediction is not None, ANSWER, "the model does not answer."
    )
    driver.shoot("review")
    driver.click("panel.review.view.beside")
    driver.shoot("review-beside")
    driver.click("panel.review.view.over")
    driver.click("panel.review.accept")
    driver.rest()
    record = session.current()
    driver.check(record is not None and record.painted > 0.99, "The prediction did not become the mask.")


def attention(driver: Driver) -> None:
    """What the network looks at, asked by hovering."""
    window = driver.window
    driver.click("panel.review.attention.shown")
    driver.wait(
        window.session.inference.attended, lambda: window.attention.maps is not None, ANSWER, "no attention is shown."
    )
    driver.hover(window.canvas, _on_canvas(driver, 0.5, 0.5))
    driver.rest()
    driver.find("panel.review.attention.head")
    driver.shoot("attention")
    driver.click("panel.review.attention.shown")


def export(driver: Driver) -> None:
    """The model is exported and checked."""
    driver.click("step.export")
    driver.rest()
    driver.click("panel.export.all")
    run = _see_out(driver, "export")
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
    finetune,
    review,
    attention,
    export,
)


def _has_curve_and_pictures(run: LiveRun) -> bool:
    curve = run.curves.get("loss")
    return curve is not None and len(curve.steps) >= 3 and bool(run.thumbs) and run.share > 0.5


def _watch(driver: Driver, kind: str, until: Callable[[LiveRun], bool], what: str) -> None:
    """Look at a run of this kind until something can be seen of it."""
    queue = driver.window.session.queue

    def seen() -> bool:
        run = queue.latest(kind)
        return run is not None and (run.state not in GOING or until(run))

    driver.wait(queue.updated, seen, RUN, what)
    run = queue.latest(kind)
    driver.check(run is not None and until(run), (run.warning if run else "") or what)


def _next_image(driver: Driver, before: str) -> None:
    """Wait until another image than ``before`` is shown."""
    session = driver.window.session

    def shown() -> bool:
        return session.labels is not None and session.image != before

    driver.wait(session.image_ready, shown, ANSWER, "the next image is not shown.")


def _see_out(driver: Driver, kind: str) -> LiveRun:
    """Wait for the end of the newest run of this kind; it must have ended well."""
    queue = driver.window.session.queue

    def over() -> bool:
        run = queue.latest(kind)
        return run is not None and not run.active

    driver.wait(queue.ended, over, RUN, f"the {kind} run goes on.")
    run = queue.latest(kind)
    assert run is not None
    driver.rest()
    driver.check(run.state is RunState.FINISHED, f"The {kind} run ended as {run.state.value}: {run.warning}")
    return run


def _paint_image(driver: Driver) -> None:
    """Paint strokes of each class where the sample's true mask has it."""
    session = driver.window.session
    truth = read_mask(_true_mask(session.file()))
    for value in range(3):
        driver.key("canvas", Qt.Key(Qt.Key.Key_1.value + value))
        driver.check(driver.window.canvas.current_class == value, f"Key {value + 1} does not choose the class.")
        for stroke in _strokes(truth == value, driver.window.canvas.brush, STROKES):
            driver.drag(driver.window.canvas, [_place(driver, x, y) for x, y in stroke])


def _true_mask(image: Path) -> Path:
    return image.parent.parent / "masks" / image.name


def _strokes(wanted: np.ndarray, brush: int, most: int) -> Iterator[list[tuple[float, float]]]:
    """Straight strokes of a round ``brush`` (diameter) that stay inside ``wanted`` (H, W) bool, longest first."""
    depth = cv2.distanceTransform(np.pad(wanted, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    room = (depth > brush / 2 + 1).astype(np.uint8)
    count, parts, stats, _ = cv2.connectedComponentsWithStats(room)
    largest = sorted(range(1, count), key=lambda part: -stats[part, cv2.CC_STAT_AREA])[:most]
    if len(largest) == 1 < most:
        yield from _runs(room, most)
        return
    for part in largest:
        rows = np.flatnonzero((parts == part).any(axis=1))
        for row in rows[:: max(1, brush * 2 // 3)]:
            columns = np.flatnonzero(parts[row] == part)
            yield _line(float(columns[0]), float(columns[-1]), float(row))


def _runs(room: np.ndarray, most: int) -> Iterator[list[tuple[float, float]]]:
    """The longest free stretches of a few rows spread over the picture."""
    height = len(room)
    for row in range(height // (2 * most), height, height // most):
        edges = np.flatnonzero(np.diff(np.pad(room[row], 1).astype(np.int8)))
        spans = [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        if spans:
            left, right = max(spans, key=lambda span: span[1] - span[0])
            yield _line(float(left), float(right), float(row))


def _line(left: float, right: float, row: float) -> list[tuple[float, float]]:
    return [(float(x), row + 0.5) for x in np.linspace(left + 0.5, right + 0.5, 8)]


def _place(driver: Driver, x: float, y: float) -> QPointF:
    return driver.window.canvas.widget_points((x, y))[0]


def _on_canvas(driver: Driver, x: float, y: float) -> QPoint:
    """A place given as shares of the image."""
    record = driver.window.session.current()
    assert record is not None
    return _place(driver, x * record.width, y * record.height).toPoint()
