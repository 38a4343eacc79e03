"""A tour through the real window with real mouse and keys, which keeps a picture of each step."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

from sslstudio import language

log = logging.getLogger(__name__)


def main(out: Path) -> int:
    """Go the whole way on the sample and save a PNG of each step into ``out``; 0 when every step was seen.

    Works on any screen and without one (``QT_QPA_PLATFORM=offscreen``); touches no settings or projects of the user.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("[0-9][0-9]-*.png"):  # of an earlier tour; they would mix with the new ones
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="sslstudio-tour-", ignore_cleanup_errors=True) as folder:
        kept = os.environ.get("SSLSTUDIO_STATE")
        os.environ["SSLSTUDIO_STATE"] = folder
        os.environ.setdefault("SSLSTUDIO_DARK", "0")
        os.environ.setdefault(language.VARIABLE, "en")
        try:
            return _drive(out)
        finally:
            if kept is None:
                del os.environ["SSLSTUDIO_STATE"]
            else:
                os.environ["SSLSTUDIO_STATE"] = kept


def _drive(out: Path) -> int:
    from PySide6.QtWidgets import QApplication

    from sslstudio.ui.app import make_application
    from sslstudio.ui.main_window import MainWindow
    from sslstudio.ui.tour.driver import Driver, Unseen
    from sslstudio.ui.tour.steps import STEPS

    app = QApplication.instance() or make_application()
    window = MainWindow()
    driver = Driver(window, out)
    try:
        for number, step in enumerate(STEPS, 1):
            log.info("%d of %d: %s", number, len(STEPS), step.__doc__)
            step(driver)
    except Unseen as unseen:
        log.error("%s", unseen)
        driver.shoot("unseen")
        return 1
    finally:
        window.session.queue.stop_all()
        window.session.close()
        window.hide()
        window.deleteLater()
        app.sendPostedEvents()
    return 0
