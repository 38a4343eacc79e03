"""The tour goes the whole way through the real window with real workers and keeps a picture of each step."""

import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_tour_sees_every_step(tmp_path):
    out = tmp_path / "tour"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "sslstudio", "tour", "--out", str(out)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "SSLSTUDIO_STATE": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    pictures = sorted(out.glob("*.png"))
    names = [file.stem[3:] for file in pictures]
    assert [name for name in names if name == "unseen"] == []
    wanted = (
        *("welcome", "images", "pretraining", "painting", "brush-and-eraser", "only-bright-pixels", "lasso", "polygon"),
        *("live-wire", "wand", "superpixels", "object-in-a-box", "similar-regions"),
        *("similar-in-the-folder", "fill", "grow-in-a-selection", "shrink-and-smooth"),
        *("specks", "holes", "locked", "only-unpainted", "hidden", "copy-previous-mask", "shortcuts", "commands"),
        *("contrast", "minimap", "slices-filled"),
        *("fine-tuning", "review", "attention", "export"),
    )
    assert [name for name in names if name in wanted] == list(wanted)
    for file in pictures:
        assert np.asarray(Image.open(file).convert("L")).std() > 5, f"{file.name} is empty"
    assert not (tmp_path / "state").exists()  # what belongs to the user is not touched
