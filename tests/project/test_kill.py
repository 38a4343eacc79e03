"""Killed at any moment, a project opens again and every acknowledged stroke is there."""

import json
import random
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from sslstudio.project.project import Project

# Paints for ever: tells before each step what it will do ("will") and after it what is done ("did"), both as
# the seed of the step, so that the parent can repeat the same strokes.
_PAINTER = """
import sys, json
import numpy as np
from sslstudio.project.project import Project
from sslstudio.project.label_map import Patch

def tell(what, action):
    print(json.dumps([what, action]), flush=True)

project = Project.open(sys.argv[1])
rng = np.random.default_rng(int(sys.argv[2]))
labels = project.label_map("a.png")
tell("state", np.asarray(labels.labels).tobytes().hex())
while True:
    draw = rng.random()
    if draw < 0.12:
        project.save_masks()
    elif draw < 0.4:
        way = "undo" if draw < 0.27 else "redo"
        tell("will", [way])
        patch = getattr(project, way)("a.png")
        if patch is not None:
            labels.put(patch)
            tell("did", [way, patch.top, patch.left, patch.labels.tolist()])
        else:
            tell("did", [way])
    else:
        top, left = (int(v) for v in rng.integers(0, 20, 2))
        new = rng.integers(0, 3, rng.integers(1, 12, 2)).astype(np.uint8)
        before = labels.cut(top, left, *new.shape)
        tell("will", ["paint", top, left, new.tolist()])
        labels.put(Patch(top, left, new))
        project.add_edit("a.png", before, labels.cut(top, left, *new.shape))
        tell("did", ["paint", top, left, new.tolist()])
"""


def put(labels, action):
    if len(action) == 4:
        _, top, left, new = action
        new = np.array(new, np.uint8)
        labels[top : top + new.shape[0], left : left + new.shape[1]] = new


def run_and_kill(path, seed, delay):
    """Let a painter work and kill it; the acknowledged labels, and what it was about to do (or None)."""
    painter = subprocess.Popen(
        [sys.executable, "-c", _PAINTER, str(path), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    labels, about_to, steps = None, None, 0
    killer = None
    for line in painter.stdout:
        try:
            what, action = json.loads(line)
        except ValueError:
            break  # torn by the kill: neither promised nor told
        if what == "state":
            labels = np.frombuffer(bytes.fromhex(action), np.uint8).reshape(32, 32).copy()
            killer = threading.Timer(delay, painter.kill)
            killer.start()
        elif what == "will":
            about_to = action
        else:
            put(labels, action)
            about_to, steps = None, steps + 1
    errors = painter.stderr.read()
    assert painter.wait() == -signal.SIGKILL, errors
    painter.stdout.close()
    painter.stderr.close()
    killer.join()
    return labels, about_to, steps


def check_kills(tmp_path, times):
    images = tmp_path / "images"
    images.mkdir()
    Image.new("L", (32, 32)).save(images / "a.png")
    path = tmp_path / "p.sslproj"
    Project.create(path, images, ["a", "b", "c"]).close()
    chance = random.Random(times)
    total = unsure = 0
    for round_ in range(times):
        labels, about_to, steps = run_and_kill(path, round_, chance.uniform(0.005, 0.25))
        total += steps
        with Project.open(path) as project:
            assert not project.notices
            found = project.label_map("a.png").labels
            if not (found == labels).all():
                unsure += 1
                assert about_to is not None, f"round {round_}: acknowledged strokes are gone"
                if about_to[0] == "paint":
                    put(labels, about_to)
                    assert (found == labels).all(), f"round {round_}"
                else:
                    back = project.redo if about_to[0] == "undo" else project.undo
                    patch = back("a.png")
                    found[
                        patch.top : patch.top + patch.labels.shape[0], patch.left : patch.left + patch.labels.shape[1]
                    ] = patch.labels
                    assert (found == labels).all(), f"round {round_}"
            painted = float((project.label_map("a.png").labels != 255).mean())
            assert project.image("a.png").painted == pytest.approx(painted)
    assert total > times, "the painter hardly painted"
    return total, unsure


def test_twenty_kills(tmp_path):
    check_kills(tmp_path, 20)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_hundred_kills(tmp_path):
    check_kills(tmp_path, 300)
