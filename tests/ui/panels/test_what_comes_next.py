"""Where the button after pretraining leads: to painting, or on to fine-tuning where masks are there already."""

from dataclasses import replace
from pathlib import Path

import pytest

from sslstudio.runs.folder import RunState
from sslstudio.ui.panels.live import LiveRun
from sslstudio.ui.panels.pretrain import PretrainPanel
from sslstudio.ui.panels.states import PretrainState
from sslstudio.ui.panels.training import outcome_words

DONE = LiveRun("1-pretrain-x", Path(), RunState.FINISHED, figures={"effective_rank": 90.0, "feature_width": 512.0})


@pytest.mark.parametrize(
    ("painted", "words", "signal"),
    [(False, "Continue to painting", "paint_wanted"), (True, "Continue to fine-tuning", "finetune_wanted")],
)
def test_pretraining_leads_to_what_is_still_to_do(qtbot, painted, words, signal):
    panel = PretrainPanel()
    qtbot.addWidget(panel)
    panel.draw(PretrainState(9, painted, run=DONE))
    assert panel.outcome.next.text() == words
    with qtbot.waitSignal(getattr(panel, signal), timeout=1000):
        panel.outcome.next.click()


def test_features_that_are_not_well_come_with_advice():
    narrow = replace(DONE, figures={"effective_rank": 9.0, "feature_width": 512.0}, step=900)
    assert "Give it more time" in outcome_words(narrow)
    assert outcome_words(DONE).endswith("directions.")
