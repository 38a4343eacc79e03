"""The main job on real images, from a folder to an exported model, by mouse and keys in the real window."""

import os
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from real_data import guess_miou, learned_little, onnx_miou, take_data

from sslstudio.runs.folder import runs_of
from sslstudio.ui import theme
from sslstudio.ui.main_window import MainWindow
from sslstudio.ui.tour.acts import ANSWER, next_image, see_out, watch

from .real_window import Person, all_masks, misses, with_room

MINUTES = {"pretrain": "0.3", "finetune": "0.5"}
STILL = 0.5  # seconds that the window may stand still at most

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture
def person(qtbot, tmp_path, monkeypatch, data_folder):
    """Someone who sits down before a fresh window with a data set; a bug anywhere fails the test."""
    monkeypatch.setenv("SSLSTUDIO_STATE", str(tmp_path / "state"))
    bugs, seated = [], []
    monkeypatch.setattr(sys, "excepthook", lambda *about: bugs.append(about))
    theme.apply(QApplication.instance(), dark=False)
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)

    def sit_down(name: str) -> Person:
        window = MainWindow()
        qtbot.addWidget(window, before_close_func=lambda w: (w.session.queue.stop_all(), w.session.close()))
        data = seated[0].data if seated else take_data(data_folder / name, tmp_path / "data", masks=10, held_out=10)
        seated.append(Person(window, tmp_path / "pictures", data))
        return seated[-1]

    yield sit_down
    for one in seated:
        one.pulse.end()
    assert not bugs, bugs


def pretrain(person: Person) -> None:
    """Press the button of the step; it goes on while one paints."""
    person.click("step.pretrain")
    person.type("panel.pretrain.minutes.exact", MINUTES["pretrain"])
    person.shoot("pretrain")
    person.click("panel.pretrain.start")
    watch(person, "pretrain", lambda run: bool(run.device), "the run does not begin.")


def finetune(person: Person) -> float:
    """Go on where the window leads, look at the overlay while it learns; the mIoU on masks kept aside."""
    person.click("panel.pretrain.outcome.next")
    assert person.window.step == "finetune", "masks are there already"
    person.shoot("finetune")
    person.type("panel.finetune.minutes.exact", MINUTES["finetune"])
    person.click("panel.finetune.start")
    review = person.window.review
    watch(person, "finetune", lambda run: review.shown_live > 0 and "miou" in run.figures, "no overlay or no mIoU.")
    person.shoot("fine-tuning")
    miou = see_out(person, "finetune").figures["miou"]
    person.shoot("fine-tuned")
    return miou


def review_and_correct(person: Person, value: int) -> tuple[str, tuple[int, int]]:
    """Accept what the model finds in an image that nobody painted, then correct it; the image and the place."""
    window, session = person.window, person.session
    person.click("panel.finetune.outcome.next")
    before = session.image
    person.key("canvas", Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    next_image(person, before)
    person.wait(session.inference.segmented, lambda: window.review.prediction is not None, ANSWER, "no prediction.")
    person.shoot("review")
    found = window.review.prediction.copy()
    person.click("panel.review.accept")
    assert (session.labels.labels == found).all(), "the prediction is the mask now"
    place = person.correct(value)
    person.shoot("corrected")
    return session.image, place


def export(person: Person):
    """Press the button; the ONNX file."""
    person.click("step.export")
    person.shoot("export")
    person.click("panel.export.onnx")
    result = see_out(person, "export").result
    person.shoot("exported")
    return result["files"]["onnx"]


def close_and_come_back(sit_down, person: Person, name: str) -> Person:
    """Close the window by its menu, open another and choose the project among the recent ones."""
    project = person.session.project.path
    person.window.actions_["file.quit"].trigger()
    assert not person.window.isVisible()
    again = sit_down(name)
    again.rest()
    again.shoot("welcome-back")
    again.click(f"recent.{project.stem}")
    again.see_opened()
    again.shoot("back")
    return again


def go_through(sit_down, name: str, prepare) -> tuple[Person, Person, float, float]:
    """The whole way; the person who came back and before, mIoU on masks kept aside and of the exported file."""
    person = sit_down(name)
    person.shoot("welcome")
    person.open_images()
    person.shoot("images")
    pretrain(person)
    prepare(person)
    person.click("step.pretrain")
    person.rest()
    person.shoot("pretraining")
    assert see_out(person, "pretrain").figures["effective_rank"] > 1
    person.shoot("pretrained")
    miou = finetune(person)
    corrected, (x, y) = review_and_correct(person, 1)
    file = export(person)
    person.window.go_to_step("paint")

    painted, project = dict(person.painted), person.session.project.path
    models = [model.name for model in person.session.models]
    again = close_and_come_back(sit_down, person, name)
    masks = all_masks(project)
    for image, drawn in painted.items():
        assert misses(masks[f"{image}.png"], drawn) == []
    assert masks[f"{corrected}.png"][y, x] == 1
    assert len(masks) == 10 + len(painted) + 1
    assert [model.name for model in again.session.models] == models
    for image, mask in masks.items():
        assert (again.session.project.label_map(image.removesuffix(".png")).labels == mask).all()
    assert again.session.can_undo() == (again.session.image in {corrected, *painted})
    return again, person, miou, onnx_miou(file, person.data)


def judge(record_property, came_back: Person, before: Person, miou: float, exported: float) -> None:
    """Report what was measured; the model is better than a guess, and the window stood still for no one."""
    guess = guess_miou(before.data)
    pauses = sorted((pause for one in (before, came_back) for pause in one.pulse.worst), reverse=True)
    for key, value in {"kept aside": miou, "exported": exported, "guess": guess, "still": pauses[0].seconds}.items():
        record_property(key, value)
        print(f"{key} {value:.3f}")
    for pause in pauses[:5]:
        print(f"stood still for {pause.seconds:.3f} s, busy {pause.busy:.3f} s: {pause.where}")
    assert max(pause.busy for pause in pauses) < STILL
    if os.getloadavg()[0] < 2 * (os.cpu_count() or 1):  # else it waits for its turn like everybody
        assert pauses[0].seconds < STILL
    if learned_little(runs_of(came_back.session.project.path)):
        pytest.skip("the machine was too busy: fine-tuning took only a few steps")
    assert exported > guess + 0.1


def test_nuclei_are_painted_while_it_pretrains_and_more_masks_brought_in(record_property, person):
    def prepare(one: Person) -> None:
        one.click("step.paint")
        one.rename_class(1, "nucleus")
        one.take_brush(5)
        for image in with_room(one.data, (0, 1), 5, 2):
            one.go_to(image)
            one.paint((0, 1), 5)
            one.shoot("painting")
        one.import_masks()
        one.shoot("imported")

    judge(record_property, *go_through(person, "dsb2018_nuclei", prepare))


def test_roads_bring_their_classes_and_are_painted_then(record_property, person):
    def prepare(one: Person) -> None:
        one.click("step.paint")
        one.import_masks()
        assert tuple(each.name for each in one.session.project.classes) == one.data.classes
        one.shoot("imported")
        for image in with_room(one.data, (0, 1), one.window.canvas.brush, 2):
            one.go_to(image)
            one.paint((0, 1), 3)
            one.shoot("painting")

    judge(record_property, *go_through(person, "road_cracks_potholes", prepare))
