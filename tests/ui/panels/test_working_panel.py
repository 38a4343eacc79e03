"""The panel “Is it working?”: what it says in each state, and what it asks for."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from sslstudio.runs.folder import RunState
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.panels.states import Choice
from sslstudio.ui.panels.working import WorkingPanel
from sslstudio.ui.panels.working_state import Answer, FigureRow, Span, WorkingState, answer_of

NETWORKS = (Choice("run-1", "14:05 · DINO · ViT tiny"), Choice("vit.untrained", "Untrained ViT tiny"))
NAME = "your images against random weights"
ROWS = (FigureRow("Directions used", "34 of 60", "It tells many different things apart.", "good"),)


@pytest.fixture
def drawn(qtbot):
    def made(state: WorkingState) -> WorkingPanel:
        panel = WorkingPanel()
        qtbot.addWidget(panel)
        panel.resize(320, 1200)
        panel.draw(state)
        panel.show()
        qtbot.waitExposed(panel)
        return panel

    return made


def test_before_anything_was_learned_it_says_what_to_do(drawn):
    panel = drawn(WorkingState(images=9))
    assert not panel.look.isEnabled()
    assert panel.look_note.text() == "Pretrain first; then there is something to measure."
    assert not panel.check.isEnabled()


def test_a_network_that_has_not_looked_asks_for_one_click(drawn, qtbot):
    panel = drawn(WorkingState(images=9, networks=NETWORKS, network="run-1", pretrained=True))
    assert panel.look.kind == "primary"
    with qtbot.waitSignal(panel.look_wanted, timeout=1000):
        QTest.mouseClick(panel.look, Qt.MouseButton.LeftButton)
    assert not panel.alike.isEnabled()
    assert not panel.map_shown.isEnabled()
    assert panel.check_note.text().startswith("Nothing is painted yet. The check needs masks of 4 images")


def test_what_was_measured_is_shown_and_new_images_are_told(drawn, qtbot):
    state = WorkingState(
        images=63, networks=NETWORKS, network="run-1", rows=ROWS, looked=60, masks=8, pretrained=True, image="a.png"
    )
    panel = drawn(state)
    assert panel.figures.isVisible()
    assert panel.look_note.text() == "3 images came since it looked."
    assert panel.check.text() == "Find out with 8 masks"
    with qtbot.waitSignal(panel.check_wanted, timeout=1000) as heard:
        QTest.mouseClick(panel.check, Qt.MouseButton.LeftButton)
    assert heard.args == [10.0]
    with qtbot.waitSignal(panel.alike_wanted, timeout=1000):
        QTest.mouseClick(panel.alike, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.map_chosen, timeout=1000) as heard:
        QTest.keyClick(panel.map_shown, Qt.Key.Key_Space)
    assert heard.args == [True]


def test_a_check_under_way_can_be_stopped(drawn, qtbot, tmp_path):
    run = LiveRun("run-9", tmp_path, RunState.RUNNING, phase="Round 1 of 5: random weights", share=0.1)
    panel = drawn(WorkingState(images=9, networks=NETWORKS, network="run-1", masks=8, pretrained=True, check=run))
    assert not panel.check.isVisible()
    with qtbot.waitSignal(panel.stop_wanted, timeout=1000) as heard:
        QTest.mouseClick(panel.check_run.stop, Qt.MouseButton.LeftButton)
    assert heard.args == ["run-9"]


RESULT = {
    "run": "run-1", "masks": 6, "rounds": 5, "steps": 40, "shown": False, "difference": 0.004,
    "answer": "No difference could be shown with 6 masks: +0.4 ± 2.1 points.",
    "comparisons": [{"better": "domain", "than": "random", "difference": 0.004, "low": -0.017, "high": 0.025,
                     "shown": False, "sentence": ""}],
}  # fmt: skip


def test_the_answer_stands_in_words_with_its_interval(drawn):
    answer = answer_of(RESULT)
    assert answer == Answer(
        RESULT["answer"], "6 masks, 5 rounds, 40 steps for each model", "none",
        (Span(NAME, pytest.approx(0.4), pytest.approx(-1.7), pytest.approx(2.5), False),),
    )  # fmt: skip
    assert answer_of({**RESULT, "shown": True}).level == "good"
    assert answer_of({**RESULT, "shown": True, "difference": -0.1}).level == "poor"
    assert answer_of({}) == Answer()
    state = WorkingState(images=9, networks=NETWORKS, network="run-1", masks=6, pretrained=True, answer=answer)
    panel = drawn(state)
    assert panel.answer.text() == RESULT["answer"]
    assert "+0.4 points, from -1.7 to 2.5" in panel.spans.accessibleDescription()
    plain = panel.spans.grab().toImage()
    one_fold = Span(NAME, 0.4, None, None, False)
    panel.spans.draw((one_fold,))
    assert panel.spans.grab().toImage() != plain


def test_an_untrained_network_cannot_have_helped():
    state = WorkingState(images=9, networks=NETWORKS, network="vit.untrained", masks=8)
    assert "was not trained on your images" in state.missing
    assert WorkingState(masks=1, pretrained=True).missing.startswith("1 painted so far")
    stacked = WorkingState(masks=1, slices=True, pretrained=True).missing
    assert stacked.endswith("count as one: they are too much alike.")
    assert WorkingState(masks=4, slices=True, pretrained=True).missing == ""
