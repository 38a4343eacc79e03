"""A person at the real window with a real data set: what they do, how still the window stood, what they hand on."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QWidget
from real_data import RealData

from sslstudio.project.masks import read_mask
from sslstudio.ui.main_window import MainWindow
from sslstudio.ui.tour.acts import ANSWER, Line, next_image, paint_image, place, strokes
from sslstudio.ui.tour.driver import SIZE, Driver

TICK = 10  # milliseconds
LATE = 0.2  # seconds without a tick after which it is noted what the window is doing


@dataclass(frozen=True, order=True)
class Pause:
    """The window did not come round for so many seconds; processor time it used meanwhile, and where it stood."""

    seconds: float
    busy: float
    where: str


class Pulse(QObject):
    """Ticks in the window's event loop and notes the longest times that it did not come round."""

    def __init__(self) -> None:
        super().__init__()
        self.worst: list[Pause] = []  # longest first
        self._own, self._seen = 0, ""
        self._last, self._spent = time.perf_counter(), time.thread_time()
        self._timer = QTimer(self, interval=TICK, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, args=(threading.get_ident(),), daemon=True)
        self._watching.start()

    @contextmanager
    def not_the_window(self) -> Iterator[None]:
        """What happens inside is the test's own work: reading files, saving pictures."""
        self._own += 1
        try:
            yield
        finally:
            self._own -= 1
            self._begin()

    def end(self) -> None:
        """Stop measuring."""
        self._timer.stop()
        self._over.set()
        self._watching.join()

    def _begin(self) -> None:
        self._last, self._spent, self._seen = time.perf_counter(), time.thread_time(), ""

    def _tick(self) -> None:
        gap = time.perf_counter() - self._last
        if not self._own:
            self.worst.append(Pause(gap, time.thread_time() - self._spent, self._seen))
            self.worst = sorted(self.worst, reverse=True)[:5]
        self._begin()

    def _watch(self, window_thread: int) -> None:
        while not self._over.wait(0.05):
            if not self._seen and not self._own and time.perf_counter() - self._last > LATE:
                frames = traceback.extract_stack(sys._current_frames()[window_thread])
                self._seen = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames[-7:]))


class Person(Driver):
    """Works in the window by mouse and keys; keeps in mind where they painted what."""

    def __init__(self, window: MainWindow, pictures: Path, data: RealData) -> None:
        super().__init__(window, pictures)
        pictures.mkdir(exist_ok=True)
        self.data = data
        self.pulse = Pulse()
        self.painted: dict[str, dict[int, list[Line]]] = {}
        window.resize(*SIZE)
        window.show()

    @property
    def session(self):
        """What the window works on."""
        return self.window.session

    def keep(self, name: str, shown: QWidget | None = None) -> Path:
        """Save a picture; the window does not do that by itself."""
        with self.pulse.not_the_window():
            return super().keep(name, shown)

    def choose_folder(self, folder: Path) -> None:
        """Paste a path into the dialog that asks for a folder, and press Enter."""
        dialog = self.find("dialog.folder")
        assert isinstance(dialog, QFileDialog)
        field = dialog.findChild(QLineEdit, "fileNameEdit")
        dialog.activateWindow()
        self.check(QTest.qWaitForWindowActive(dialog, 60_000), "The dialog does not become active.")
        field.setFocus()
        QApplication.clipboard().setText(str(folder))  # typed, Qt's own dialog would complete each letter
        for key in (Qt.Key.Key_A, Qt.Key.Key_V):
            QTest.keyClick(field, key, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(field, Qt.Key.Key_Return)
        taken = [Path(file) for file in dialog.selectedFiles()]
        self.check(not dialog.isVisible() and taken == [folder], f"The dialog takes {taken} for {folder}.")

    def open_images(self) -> None:
        """From the welcome page to the first image, all files checked."""
        self.click("welcome.open")
        self.choose_folder(self.data.images)
        self.see_opened()

    def see_opened(self) -> None:
        """Wait until an image is shown and all files were checked."""
        self.wait(self.session.image_ready, lambda: self.session.labels is not None, ANSWER, "no image is shown.")
        self.wait(self.session.checked, lambda: self.session.checking < 0, ANSWER, "files are still being checked.")

    def rename_class(self, place_in_list: int, name: str) -> None:
        """Double-click a class and type another name."""
        line = f"panel.paint.classes.{place_in_list}"
        self.rest()
        QTest.mouseDClick(self.find(line), Qt.MouseButton.LeftButton)
        self.type(f"{line}.name", name)
        self.check(self.session.project.classes[place_in_list].name == name, f"The class is not called {name}.")

    def take_brush(self, diameter: int) -> None:
        """B, then [ until the brush is that small."""
        self.key("canvas", Qt.Key.Key_B)
        for _ in range(100):
            if self.window.canvas.brush <= diameter:
                return
            self.key("canvas", Qt.Key.Key_BracketLeft)
        self.check(False, "The brush does not become small.")

    def paint(self, classes: tuple[int, ...], most: int) -> None:
        """Paint the current image where its true mask says so."""
        with self.pulse.not_the_window():
            truth = self.data.true_mask(self.session.image)
        drawn = paint_image(self, truth, classes, most)
        self.painted[self.session.image] = drawn
        self.check(all(drawn.values()), f"{self.session.image} has no room for a stroke of each class.")

    def go_to(self, image: str) -> None:
        """Search an image by name and click on its thumbnail."""
        before = self.session.image
        self.type("browser.search", Path(image).stem)
        view = self.window.browser.view
        self.rest()
        self.check(view.model().rowCount() == 1, f"The search for {image} finds {view.model().rowCount()} images.")
        if image != before:
            QTest.mouseClick(
                view.viewport(), Qt.MouseButton.LeftButton, pos=view.visualRect(view.model().index(0, 0)).center()
            )
            next_image(self, before)
        self.key("browser.search", Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.key("browser.search", Qt.Key.Key_Backspace)

    def import_masks(self) -> None:
        """Ctrl+I, the folder with masks, Enter, a look at the preview, Enter; until all are taken over."""
        before = len(self.session.project.painted())
        self.key("canvas", Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        self.choose_folder(self.data.masks)
        again = QTimer(interval=50)
        again.start()
        find = self.window.findChildren
        self.wait(again.timeout, lambda: bool(find(QDialog, "dialog.mask_values")), ANSWER, "no preview is shown.")
        self.key("mask_values.take", Qt.Key.Key_Return)
        files = len(list(self.data.masks.glob("*.png")))

        def all_there() -> bool:
            return sum(record.painted > 0 for record in self.session.records) == before + files

        self.wait(self.session.records_changed, all_there, ANSWER, "the masks were not taken over.")
        self.wait(self.session.image_ready, lambda: self.session.labels is not None, ANSWER, "the image is gone.")
        self.rest()
        self.check(f"Took over {files} masks" in self.window.notice.shown(), "Nobody says that masks were taken over.")

    def correct(self, value: int) -> tuple[int, int]:
        """Draw a short stroke of a class in the middle of the image; the place (x, y) that it must cover."""
        record = self.session.current()
        x, y = record.width // 2, record.height // 2
        self.key("canvas", Qt.Key(Qt.Key.Key_1.value + value))
        ends = [place(self, x + dx + 0.5, y + 0.5) for dx in (-6, 0, 6)]
        self.drag(self.window.canvas, ends)
        return x, y


def with_room(data: RealData, classes: tuple[int, ...], brush: int, count: int) -> list[str]:
    """Names of images, none of them among the ten, that have room for strokes of each of these classes."""
    found: list[str] = []
    for file in sorted(data.images.iterdir()):
        truth = data.true_mask(file.name)
        roomy = all(len(list(strokes(truth == value, brush, 3))) >= 3 for value in classes)
        if roomy and not (data.masks / f"{file.stem}.png").exists():
            found.append(file.name)
        if len(found) == count:
            break
    return found


def misses(mask: np.ndarray, drawn: dict[int, list[Line]]) -> list[tuple[int, int, int]]:
    """Places (x, y, class) of drawn strokes that ``mask`` (H, W) does not hold."""
    return [
        (int(x), int(y), value)
        for value, lines in drawn.items()
        for line in lines
        for x, y in line
        if mask[int(y), int(x)] != value
    ]


def all_masks(project: Path) -> dict[str, np.ndarray]:
    """Every mask that lies in a project's folder, by its name."""
    files = sorted((project / "masks").rglob("*.png"))
    return {file.relative_to(project / "masks").as_posix(): read_mask(file) for file in files}
