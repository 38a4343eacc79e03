"""Hostile files never crash, hang, eat the memory or chatter: they open, or are refused in words."""

import csv
import json
import os
import subprocess
import sys

import pytest

_LOOK = """
import json, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
from sslstudio.images.reader import UnreadableImage, probe, read_pixels, read_rgb8

def attempt(look, path):
    try:
        return look(path)
    except UnreadableImage as error:
        assert error.problem.startswith(path.name) and error.problem.endswith("."), error.problem
        return error

for name in json.load(sys.stdin):
    begun = time.monotonic()
    info, pixels = attempt(probe, Path(name)), attempt(read_pixels, Path(name))
    shown = attempt(read_rgb8, Path(name))
    small = attempt(lambda path: read_rgb8(path, longest=64), Path(name))
    opens = not isinstance(pixels, Exception)
    assert opens != isinstance(shown, Exception) and opens != isinstance(small, Exception), name
    agrees = not opens or (info.height, info.width, info.channels, info.dtype) == (*pixels.shape, pixels.dtype.name)
    print(json.dumps([name, opens, agrees, time.monotonic() - begun]))
# Its own peak in KiB: what getrusage tells may be that of whoever started it.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
BATCHES = 3


@pytest.mark.parametrize("batch", range(BATCHES))
def test_odd_images_open_or_are_refused(data_folder, batch):
    folder = data_folder / "odd_images"
    with (folder / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))[batch::BATCHES]
    told = {str(folder / row["file"]): row for row in rows}
    done = subprocess.run(
        [sys.executable, "-c", _LOOK],
        input=json.dumps(list(told)),
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr == ""
    *lines, peak = map(json.loads, done.stdout.splitlines())
    assert [line[0] for line in lines] == list(told)
    for name, opens, agrees, seconds in lines:
        assert agrees, f"{name}: the header promised something else"
        assert seconds < 5, f"{name} took {seconds:.1f} s"
        by_pillow = told[name]["pillow_result"] == "opens"
        if by_pillow and not name.endswith((".ico", ".psd", ".qoi")):
            assert opens, f"{name}: Pillow opens it, we do not"
    assert peak < 2 << 20, f"{peak >> 10} MiB"
