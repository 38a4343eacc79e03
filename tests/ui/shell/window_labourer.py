"""A real window that is worked in by mouse and keys until it is killed; its journal goes to the standard output.

A line ``will`` comes before each action and ``done`` after it; a line ``patch`` tells what the window has said to be
on the disk: the end of a stroke, an undo, a redo.
"""

import base64
import json
import os
import random
import sys
import zlib
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtTest import QTest

LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
CHANCES = {"undo": 0.12, "redo": 0.08, "next": 0.07, "previous": 0.07, "save": 0.08, "class": 0.1, "brush": 0.08}


def tell(*words):
    os.write(1, (json.dumps(words) + "\n").encode())


class Worker:
    """Does one action after the other, whenever an image is there."""

    def __init__(self, window, seed):
        self.window, self.canvas, self.session = window, window.canvas, window.session
        self.chance = random.Random(seed)
        self.canvas.stroke_finished.connect(lambda _, after: self.note(self.canvas.key, after))
        self.session.patched.connect(lambda patch: self.note(self.session.image, patch))
        self.timer = QTimer(interval=1)
        self.timer.timeout.connect(self.act)
        self.timer.start()

    def note(self, image, patch):
        """The window's own slots come before: what is told here was called saved there."""
        if self.session.all_saved():
            packed = base64.b64encode(zlib.compress(patch.labels.tobytes())).decode()
            tell("patch", image, patch.top, patch.left, *patch.labels.shape, packed)

    def act(self):
        if self.session.labels is None or self.canvas.key != self.session.image or not self.window.isActiveWindow():
            return
        draw = self.chance.random()
        kind = "stroke"
        for one, share in CHANCES.items():
            draw -= share
            if draw < 0:
                kind = one
                break
        tell("will", kind, self.canvas.key)
        getattr(self, kind)()
        tell("done")

    def key(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(self.canvas, key, modifiers)

    def stroke(self):
        width, height = self.canvas.width(), self.canvas.height()
        at = QPoint(self.chance.randint(width // 4, 3 * width // 4), self.chance.randint(height // 4, 3 * height // 4))
        QTest.mousePress(self.canvas, LEFT, pos=at)
        for _ in range(self.chance.randint(1, 6)):
            at += QPoint(self.chance.randint(-60, 60), self.chance.randint(-60, 60))
            QTest.mouseMove(self.canvas, at)
        QTest.mouseRelease(self.canvas, LEFT, pos=at)

    def undo(self):
        self.key(Qt.Key.Key_Z, CTRL)

    def redo(self):
        self.key(Qt.Key.Key_Z, CTRL | SHIFT)

    def next(self):
        self.key(Qt.Key.Key_D)

    def previous(self):
        self.key(Qt.Key.Key_A)

    def save(self):
        self.session.write_masks()  # as the window does by itself when the hand has rested

    def brush(self):
        self.key(self.chance.choice((Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight)))

    def __getattr__(self, name):
        if name == "class":
            return lambda: self.key(self.chance.choice((Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3)))
        raise AttributeError(name)


def main():
    from sslstudio.ui.app import make_application

    app = make_application()
    from sslstudio.ui.main_window import MainWindow

    window = MainWindow()
    window.show()
    window.activateWindow()
    window.files.open(Path(sys.argv[1]))
    worker = Worker(window, int(sys.argv[2]))
    app.exec()
    worker.timer.stop()


if __name__ == "__main__":
    main()
