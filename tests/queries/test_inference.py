"""The inference process as a real process: right answers, the newest wins, crashes and closed windows are survived."""

import os
import queue
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from sslstudio.errors import UserError
from sslstudio.images.reader import read_rgb8
from sslstudio.queries.client import InferenceClient, ask_once
from sslstudio.queries.messages import AttentionQuery, Example, SegmentQuery, SimilarQuery, encode_query, read_answer

PATIENCE = 200  # seconds; loading torch on a busy machine takes a while


@pytest.fixture(scope="module")
def answers():
    return queue.Queue()


@pytest.fixture(scope="module")
def client(answers):
    client = InferenceClient(answers.put)
    yield client
    client.close()


def picture(material, number=0):
    return str(material / "sample" / "images" / f"cells_{number:03d}.png")


def test_a_segmentation_is_the_models_own(client, answers, material):
    from sslstudio.learning.segmentation.model import load_model
    from sslstudio.learning.segmentation.tiles import segment

    number = client.ask(SegmentQuery(picture(material), str(material / "model")))
    answer = answers.get(timeout=PATIENCE)
    assert (answer.number, answer.kind) == (number, "segment")
    shares = segment(load_model(material / "model"), read_rgb8(picture(material)))
    assert answer.arrays["labels"].shape == shares.shape[1:]
    assert (answer.arrays["labels"] == shares.argmax(0)).mean() > 0.99
    assert np.abs(answer.arrays["confidence"] / 255 - shares.max(0)).mean() < 0.01


def test_attention_follows_the_pointer(client, answers, material):
    encoder = str(material / "vit")
    client.ask(AttentionQuery(picture(material), encoder))
    first = answers.get(timeout=PATIENCE).arrays["maps"]
    height, width = read_rgb8(picture(material)).shape[:2]
    assert first.shape == (4, round(height / 16), round(width / 16))  # three heads and their mean
    assert first.dtype == np.float32
    assert first.min() >= 0
    assert first.max() <= 1
    seen = []
    for x in range(8, width, 16):
        client.ask(AttentionQuery(picture(material), encoder, -1, (x, 40)))
        seen.append(answers.get(timeout=PATIENCE).arrays["maps"])
    assert not np.array_equal(seen[0], seen[-1])


def test_what_has_no_answer_says_why(client, answers, material, tmp_path):
    for query, words in (
        (AttentionQuery(picture(material), str(material / "conv")), "has no attention"),
        (AttentionQuery(picture(material), str(tmp_path / "gone")), "no encoder"),
        (SegmentQuery(picture(material), str(tmp_path / "gone")), "no model"),
        (SegmentQuery(str(tmp_path / "gone.png"), str(material / "model")), "gone.png"),
    ):
        client.ask(query)
        answer = answers.get(timeout=PATIENCE)
        assert answer.kind == "problem"
        assert words in answer.problem
        assert answer.about in ("segment", "attention")


def test_the_newest_question_of_a_kind_wins(client, answers, material):
    numbers = [client.ask(SegmentQuery(picture(material, i % 3), str(material / "model"))) for i in range(20)]
    attention = client.ask(AttentionQuery(picture(material), str(material / "vit")))
    got = {answers.get(timeout=PATIENCE).number, answers.get(timeout=PATIENCE).number}
    assert got == {numbers[-1], attention}
    assert answers.empty()


def test_a_crash_is_told_and_the_next_question_is_answered(client, answers, material):
    query = SegmentQuery(picture(material), str(material / "model"))
    client.ask(query)
    answers.get(timeout=PATIENCE)
    before = client.pid
    os.kill(before, signal.SIGSTOP)  # it cannot answer before it is killed
    client.ask(query)
    os.kill(before, signal.SIGKILL)
    told = answers.get(timeout=PATIENCE)
    assert (told.kind, told.about) == ("problem", "segment")
    client.ask(query)
    assert answers.get(timeout=PATIENCE).kind == "segment"
    assert client.pid != before


def test_a_closed_client_leaves_no_process_and_gives_no_answer(material):
    late = queue.Queue()
    client = InferenceClient(late.put)
    client.ask(SegmentQuery(picture(material), str(material / "model")))
    pid = client.pid
    client.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert late.empty()
    client.ask(SegmentQuery(picture(material), str(material / "model")))
    assert client.pid is None


def test_a_killed_window_leaves_no_orphan(material):
    """The pipe's end is all that a killed window leaves behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sslstudio.workers.inference"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        process.stdin.write(encode_query(1, SegmentQuery(picture(material), str(material / "model"))))
        process.stdin.flush()
        assert read_answer(process.stdout).kind == "segment"
        process.stdin.close()
        assert process.wait(10) == 0


def test_asking_once_raises_what_the_user_can_mend(material):
    with pytest.raises(UserError, match="has no attention"):
        ask_once(AttentionQuery(picture(material), str(material / "conv")))


def test_what_is_alike_is_answered_and_asked_again_costs_little(client, answers, material, tmp_path):
    """The second click needs no network; an image of the folder is compared with the one that was clicked in."""
    click = (Example(40, 40, 40, 40),)
    for encoder in ("conv", "vit", "model"):
        client.ask(SimilarQuery(picture(material), str(material / encoder), click))
        answer = answers.get(timeout=PATIENCE)
        found = answer.arrays["likeness"]
        assert (answer.kind, found.ndim, found.dtype) == ("similar", 2, np.float32)
        assert -1.001 <= found.min() < found.max() <= 1.001
        height, width = read_rgb8(picture(material)).shape[:2]
        assert found[int(40 / height * len(found)), int(40 / width * len(found[0]))] == pytest.approx(1, abs=0.01)
    begun = time.perf_counter()
    for x in range(20, 120, 10):
        client.ask(SimilarQuery(picture(material), str(material / "model"), (Example(x, 30, x, 30),)))
        answers.get(timeout=PATIENCE)
    assert (time.perf_counter() - begun) / 10 < 0.2, "milliseconds on an idle machine"
    cached = SimilarQuery(picture(material, 1), str(material / "model"), click, picture(material), str(tmp_path))
    client.ask(cached)
    first = answers.get(timeout=PATIENCE).arrays["likeness"]
    assert len(list(tmp_path.glob("*.npz"))) >= 1
    client.ask(SimilarQuery(picture(material, 2), str(material / "model"), click, picture(material), str(tmp_path)))
    answers.get(timeout=PATIENCE)
    client.ask(cached)
    assert answers.get(timeout=PATIENCE).arrays["likeness"].mean() == pytest.approx(first.mean(), abs=0.02)


def test_what_cannot_be_compared_is_told(client, answers, material, tmp_path):
    from PIL import Image

    Image.new("RGB", (300, 9)).save(tmp_path / "thin.png")
    click = (Example(4, 4, 4, 4),)
    for query, words in (
        (SimilarQuery(str(tmp_path / "thin.png"), str(material / "conv"), click), "too small"),
        (SimilarQuery(str(tmp_path / "gone.png"), str(material / "conv"), click), "gone.png"),
        (SimilarQuery(picture(material), str(tmp_path / "gone"), click), "no encoder"),
    ):
        client.ask(query)
        answer = answers.get(timeout=PATIENCE)
        assert (answer.kind, answer.about) == ("problem", "similar")
        assert words in answer.problem


def test_a_crash_in_the_midst_is_told_as_the_tools_own(client, answers, material):
    client.ask(SimilarQuery(picture(material), str(material / "conv"), (Example(9, 9, 9, 9),)))
    answers.get(timeout=PATIENCE)
    os.kill(client.pid, signal.SIGSTOP)
    client.ask(SimilarQuery(picture(material), str(material / "conv"), (Example(50, 9, 50, 9),)))
    os.kill(client.pid, signal.SIGKILL)
    told = answers.get(timeout=PATIENCE)
    assert (told.kind, told.about) == ("problem", "similar")
    assert "ended unexpectedly" in told.problem
