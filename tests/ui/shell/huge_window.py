"""A person at the real window with an image of 30,000 x 30,000 pixels; prints what it took. Run as a program."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import zlib
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import tifffile
from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from sslstudio.project.masks import read_noted
from sslstudio.ui.main_window import MainWindow

SIDE, TILE = 30_000, 512


def write(file: Path) -> None:
    """Tiles of slopes with some grain, compressed once each and written often."""
    rows, columns = np.mgrid[:TILE, :TILE]
    grain = np.random.default_rng(0).integers(0, 8, (TILE, TILE))
    kinds = []
    for at in range(12):
        grey = (rows * (at % 3) // 8 + columns * (at % 4) // 8 + grain + 10 * at) % 256
        kinds.append(zlib.compress(np.stack([grey, grey[::-1], 255 - grey], axis=2).astype(np.uint8).tobytes(), 1))
    down = -(-SIDE // TILE)
    tiles = (kinds[(at // down + at % down) % 12] for at in range(down * down))
    about = {"dtype": np.uint8, "tile": (TILE, TILE), "compression": "zlib", "photometric": "rgb", "bigtiff": True}
    tifffile.imwrite(file, tiles, shape=(SIDE, SIDE, 3), **about)


def until(done, seconds: float = 600) -> float:
    """Let the window live until something is so; how long that took."""
    loop, timer, begun = QEventLoop(), QTimer(interval=10), time.perf_counter()
    timer.timeout.connect(lambda: loop.quit() if done() or time.perf_counter() - begun > seconds else None)
    timer.start()
    loop.exec()
    assert done()
    return time.perf_counter() - begun


def drag(canvas, *places: QPoint) -> None:
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=places[0])
    for place in places[1:]:
        QTest.mouseMove(canvas, place)
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=places[-1])


def opened(path: Path) -> tuple[MainWindow, float]:
    window = MainWindow()
    window.resize(1400, 900)
    window.show()
    seen: list[int] = []
    window.session.image_ready.connect(lambda: seen.append(1))
    window.files.open(path)
    return window, until(lambda: bool(seen))


def work(window: MainWindow) -> None:
    """Move, zoom and paint, from afar and near."""
    canvas, image = window.canvas, window.session.picture.image
    until(lambda: image.whole)
    window.painting.choose_class(1)
    wide, high = canvas.width(), canvas.height()
    canvas.set_brush(500)
    drag(canvas, *(QPoint(wide // 2 + at, high // 4 + at) for at in range(-150, 300, 50)))
    window.painting.undo()
    window.painting.redo()
    for place in (5_000, 15_000, 25_000):
        canvas.zoom_actual()
        canvas.centre_on(place, place)
        canvas.grab()
        until(lambda: image.cache.idle)
        canvas.set_tool("brush")
        drag(canvas, *(QPoint(200 + 40 * at, 200 + 17 * at % 90) for at in range(12)))
        canvas.set_tool("wand")
        drag(canvas, QPoint(wide // 3, high // 2))
        canvas.finish_stroke()
        canvas.zoom_out()
        canvas.zoom_out()
        canvas.grab()
        until(lambda: image.cache.idle)
    canvas.set_tool("fill")
    drag(canvas, QPoint(wide // 2, high // 2))
    window.painting.undo()
    canvas.zoom_fit()


def main(folder: Path) -> None:
    app = QApplication([])
    os.environ["SSLSTUDIO_STATE"] = str(folder / "state")
    (folder / "slides").mkdir()
    write(folder / "slides" / "slide.tif")
    window, first = opened(folder / "slides")
    work(window)
    labels, project, path = window.session.labels.labels, window.session.project.path, window.session.image
    window.session.close()
    begun = time.perf_counter()
    saved = read_noted(project / "masks" / f"{path}.png")[0]
    read = time.perf_counter() - begun
    same = all(labels.cell(place) == saved.cell(place) for place in labels.places())
    painted = int(labels.counts()[:255].sum())
    window.close()
    again, second = opened(project)
    found = again.session.labels.labels
    same = same and all(np.array_equal(labels.tile(place), found.tile(place)) for place in labels.places())
    again.session.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (folder / "slides" / "slide.tif").unlink()
    print(
        json.dumps({"peak_mb": peak, "first": first, "again": second, "read": read, "same": same, "painted": painted})
    )
    app.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
