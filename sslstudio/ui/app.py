"""The window's start: application, looks, the dialog for bugs."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from pathlib import Path

from PySide6.QtCore import QEvent, QLibraryInfo, QLocale, QSocketNotifier, Qt, QTranslator, Signal
from PySide6.QtWidgets import QApplication

from sslstudio import language
from sslstudio.ui import state
from sslstudio.ui.state import LANGUAGE

log = logging.getLogger(__name__)


class Application(QApplication):
    """Hears what is told to nobody's window.

    Signals:
        pen_left: A tablet's pen has gone out of the tablet's reach.
    """

    pen_left = Signal()

    def event(self, event: QEvent) -> bool:
        """Note that a pen goes away."""
        if event.type() == QEvent.Type.TabletLeaveProximity:
            self.pen_left.emit()
        return super().event(event)


def use_every_place() -> None:
    """Have Qt pass on all places of mouse and pen, also while the window is busy: else curves become straight there.

    Qt's plug-ins set these when an application is made; call it afterwards.
    """
    for compression in (
        Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents,
        Qt.ApplicationAttribute.AA_CompressTabletEvents,
    ):
        QApplication.setAttribute(compression, False)


def make_application(arguments: list[str] | None = None) -> QApplication:
    """The QApplication with style, palette and icon; ``SSLSTUDIO_DARK`` 0 or 1 overrides the system."""
    from sslstudio.project.holder import introduce
    from sslstudio.ui import icons, theme

    introduce("window")
    speak()
    app = Application(arguments or ["SSL Studio"])
    use_every_place()
    _translate_qt(app)
    app.setApplicationName("SSL Studio")
    app.setApplicationDisplayName("")
    app.setDesktopFileName("sslstudio")
    given = os.environ.get("SSLSTUDIO_DARK")
    theme.apply(app, None if given is None else given == "1")
    app.setWindowIcon(icons.application_icon())
    return app


def speak() -> None:
    """Put a language in force: the one that whoever started us named, the one chosen in the menu, the system's."""
    if not language.is_chosen():
        kept = str(state.settings().value(LANGUAGE, "") or "")
        language.choose(kept or QLocale.system().name())
    if language.current() != "en":
        QLocale.setDefault(QLocale(language.current()))


def _translate_qt(app: QApplication) -> None:
    """Qt's own words: the buttons of its dialogs, the menus of its fields."""
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if language.current() != "en" and translator.load(f"qtbase_{language.current()}", folder):
        app.installTranslator(translator)


def main(path: str | Path | None = None) -> int:
    """Open the window, on a folder or project if one is given; returns when it is closed."""
    from sslstudio.ui.dialogs import report
    from sslstudio.ui.main_window import MainWindow

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if path is None and len(sys.argv) > 1 and Path(sys.argv[0]).name.startswith("sslstudio-window"):
        path = sys.argv[1]
    app = make_application()
    report.install()
    window = MainWindow()
    waker = _quit_on_interrupt(window)
    window.fit_on_screen()
    window.show()
    if path is not None:
        window.files.open(Path(path))
    code = app.exec()
    waker.setEnabled(False)
    return code


def _quit_on_interrupt(window: object) -> QSocketNotifier:
    """Let Ctrl+C in the terminal close the window as its button would.

    Python handles signals only between byte codes; a byte in a pipe wakes Qt's loop so that it gets there.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno())
    signal.signal(signal.SIGINT, lambda *_: window.close())  # type: ignore[attr-defined]
    waker = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read)
    waker.activated.connect(lambda: writer is not None and reader.recv(64))
    return waker
