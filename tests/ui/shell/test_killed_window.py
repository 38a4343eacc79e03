"""A real window, killed in the midst of painting: what it had said to be saved is there, byte for byte."""

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sslstudio.project.label_map import Patch
from sslstudio.project.project import Project

KILLS = int(os.environ.get("SSLSTUDIO_WINDOW_KILLS", "20"))  # more, for whoever has the time
LABOURER = Path(__file__).with_name("window_labourer.py")
IMAGES, SHAPE = ("a.png", "b.png", "deep/c.png"), (240, 320)
BACK = {"stroke": "undo", "redo": "undo", "undo": "redo"}  # what takes an action back
PATIENCE = 120  # seconds for a window to come up on a busy machine


@pytest.fixture
def project(tmp_path):
    """A project of three images with noise in them."""
    noise = np.random.default_rng(0)
    for name in IMAGES:
        file = tmp_path / "images" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise.integers(0, 255, (*SHAPE, 3), np.uint8)).save(file)
    path = tmp_path / "p.sslproj"
    Project.create(path, tmp_path / "images", ["a", "b", "c"]).close()
    return path


def work_and_die(path, state, seed, chance):
    """Let a window be worked in, kill it, and return what it told."""
    environment = os.environ | {"SSLSTUDIO_STATE": str(state), "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen([sys.executable, LABOURER, path, str(seed)], stdout=subprocess.PIPE, env=environment)
    guard = threading.Timer(PATIENCE, child.kill)
    guard.start()
    told, left = [], chance.randint(1, 300)
    try:
        for line in child.stdout:
            told.append(line)
            left -= 1
            if not left:
                threading.Timer(chance.choice([0, 0.001, 0.004, 0.02]) * chance.random(), child.kill).start()
    finally:
        guard.cancel()
        child.kill()
        child.stdout.close()
    assert child.wait() == -signal.SIGKILL
    assert left <= 0, f"the window did not come to work: {told[-3:]}"
    return [json.loads(line) for line in told if line.endswith(b"\n")]


def follow(told, models):
    """Put what was told to be saved on ``models``; the action (kind, image) that was cut off, if any."""
    about_to = None
    for what, *about in told:
        if what == "will":
            about_to = tuple(about)
        elif what == "done":
            about_to = None
        else:
            image, top, left, height, width, packed = about
            labels = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8).reshape(height, width)
            models[image][top : top + height, left : left + width] = labels
            about_to = None  # the rest of it changes nothing any more
    return about_to


def check(path, models, cut):
    """Open the project and compare; an action that was cut off is there wholly, or not at all."""
    there = False
    with Project.open(path) as project:
        assert not project.notices
        for image, model in models.items():
            shown = project.label_map(image)
            if cut and cut[1] == image and cut[0] in BACK and (shown.labels != model).any():
                patch = getattr(project, BACK[cut[0]])(image)
                assert isinstance(patch, Patch)
                shown.put(patch)
                there = True
            assert shown.labels.tobytes() == model.tobytes(), f"{image} lost something; cut off: {cut}"
    return there


@pytest.mark.slow
@pytest.mark.timeout(60 + 60 * KILLS)
@pytest.mark.skipif(os.name != "posix", reason="killed as Linux does")
def test_a_killed_window_loses_no_finished_stroke(project, tmp_path, record_property):
    models = {name: np.full(SHAPE, 255, np.uint8) for name in IMAGES}
    chance, cut_off, finished, there = random.Random(7), Counter(), Counter(), 0
    for seed in range(KILLS):
        told = work_and_die(project, tmp_path / "state", seed, chance)
        cut = follow(told, models)
        there += check(project, models, cut)
        cut_off[cut[0] if cut else "between two actions"] += 1
        finished.update(about[0] for what, *about in told if what == "will")
    patches = ", ".join(f"{what}: {count}" for what, count in sorted(finished.items()))
    record_property(
        "told",
        f"{KILLS} windows killed, nothing lost. Done by mouse and keys: {patches}. Cut off in the midst of "
        f"{', '.join(f'{what}: {count}' for what, count in sorted(cut_off.items()))}; {there} of these are whole.",
    )
    assert finished["stroke"] > KILLS, "the windows were hardly worked in"
    assert all(finished[what] for what in ("undo", "redo", "next", "previous", "save")), finished
