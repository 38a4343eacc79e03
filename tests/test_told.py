"""What a run's end looks like for people: rounded figures, no brackets of a programming language."""

from pathlib import Path

from sslstudio.commands import _told
from sslstudio.runs.folder import RunState, RunSummary


def test_results_are_told_in_words():
    problems = [{"image": "a.png", "problem": "a.png is empty (0 bytes)."}]
    result = {"iou": {"ground": 0.99053459, "cell": 0.5}, "validation_images": ["b c.png"], "problems": problems}
    summary = RunSummary("1-finetune-x", "finetune", RunState.FINISHED, 1.5, {}, result, Path())
    assert _told(summary).splitlines() == [
        "1-finetune-x: finished after 1.5 min",
        "  iou: ground 0.991, cell 0.5",
        "  validation images: b c.png",
        "  problems: a.png is empty (0 bytes).",
    ]
