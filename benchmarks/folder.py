"""Opening a large folder: seconds until listed, until the first screen of thumbnails, until all files are checked.

Makes the JPEGs on the spot. Usage: ``python benchmarks/folder.py [count]`` (20,000 unless told).
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen" if not os.environ.get("DISPLAY") else "xcb")


def make_images(folder: Path, count: int) -> None:
    """``count`` different JPEGs of 640 x 480: a few pictures, each with its own bytes behind the end marker."""
    import cv2

    random = np.random.default_rng(1)
    pictures = []
    for _ in range(16):
        small = random.integers(0, 255, (30, 40, 3), np.uint8)
        picture = cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC)
        pictures.append(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())
    for number in range(count):
        part = folder / f"part_{number // 1000:03d}"
        if number % 1000 == 0:
            part.mkdir(parents=True)
        (part / f"image_{number:06d}.jpg").write_bytes(pictures[number % 16] + number.to_bytes(4, "big"))


def measure(images: Path) -> dict:
    """Open the folder in the real window and wait for its signals."""
    from sslstudio.ui.app import make_application

    app = make_application()
    from sslstudio.ui.main_window import MainWindow

    window = MainWindow()
    window.show()
    found: dict[str, float] = {}
    began = time.perf_counter()

    def mark(name: str) -> None:
        found.setdefault(name, time.perf_counter() - began)
        if {"first_screen_s", "complete_s"} <= set(found):
            app.quit()

    def on_thumbnail() -> None:
        first, last = window.browser.view.visible_rows()
        rows = range(first, last + 1)
        if last >= first and all(window.browser.thumbnails.known(window.browser.model.record_at(r).path) for r in rows):
            mark("first_screen_s")

    window.session.opened.connect(lambda: mark("listed_s"))
    window.session.image_ready.connect(lambda: mark("first_image_s"))
    window.browser.thumbnails.ready.connect(on_thumbnail)
    window.session.checked.connect(lambda number: mark("complete_s") if number < 0 else None)
    window.files.open(images)
    app.exec()
    found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    window.close()
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    """Make, open, print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as place:
        os.environ["SSLSTUDIO_STATE"] = f"{place}/state"
        images = Path(place) / "images"
        make_images(images, count)
        result = {"images": count, **measure(images)}
        shutil.rmtree(images)
    print(f"{count} JPEGs of 640 x 480")
    for name, words in (
        ("listed_s", "listed"),
        ("first_screen_s", "first screen of thumbnails"),
        ("first_image_s", "first image on the canvas"),
        ("complete_s", "all files checked"),
    ):
        print(f"{words:28} {result.get(name, float('nan')):8.2f} s")
    print(f"{'memory':28} {result['memory_mb']:8.0f} MB")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
