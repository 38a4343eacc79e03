"""What a waiting run says: which run it waits for, and roughly how long."""

import pytest

from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs import events as ev
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.naming import TimeLeft, about, resuming, run_name, waiting_words
from sslstudio.runs.request import ExportRequest, PretrainRequest


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, ""),
        (5, "less than a minute"),
        (62, "about 1 minute"),
        (179, "about 3 minutes"),
        (1300, "about 20 minutes"),
        (7000, "about 2 hours"),
    ],
)
def test_times_are_told_roughly(seconds, words):
    assert about(seconds) == words


def test_a_run_has_a_plain_name_even_when_it_cannot_be_read(tmp_path):
    request = PretrainRequest(images_root="x", images=("a.png",), recipe=PretrainRecipe())
    assert run_name(RunFolder.create(tmp_path, request)) == "Pretraining with SimCLR"
    assert run_name(RunFolder.create(tmp_path, ExportRequest(model="m"))) == "Exporting of m"
    assert waiting_words(run_name(RunFolder(tmp_path / "gone"))) == "Waiting for “another run”"


def test_the_time_left_follows_the_other_worker(tmp_path):
    run = RunFolder.create(tmp_path, ExportRequest(model="m"))
    left = TimeLeft(run)
    assert left() < 0
    run.append(ev.Progress(step=1, steps=2, share=0.5, seconds_left=60))
    assert left() == 60
    run.append(ev.Started())
    assert left() < 0, "it was resumed; what was left before does not count"


def test_resuming_tells_what_will_really_happen(tmp_path):
    run = RunFolder.create(tmp_path, ExportRequest(model="m"))
    run.append(ev.Started())
    run.append(ev.Progress(step=40, steps=90, share=0.4))
    assert "begins again from step 1" in resuming("finetune", run.summary().checkpoint)
    run.append(ev.Checkpointed(folder="checkpoints/last", step=30))
    run.append(ev.Progress(step=41, steps=90, share=0.4))
    assert resuming("finetune", run.summary().checkpoint) == "goes on from the last checkpoint (step 30)"
    assert resuming("predict", 0) == "begins again"
