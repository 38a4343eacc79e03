"""The window in another language: all of it is translated, nothing is cut off, and the choice is kept."""

import gettext
import re

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget

from sslstudio import language
from sslstudio.ui import app, state
from sslstudio.ui.main_window import MainWindow
from sslstudio.ui.stepper import STEPS

from .test_for_everyone import ACTIONS_THAT_ASK, MADE, PLACES, unfold
from .walking import complaints, dialogs

MARK = "⟦"
# Words that are the same in every language: names of methods and programs, file names, units, keys of the keyboard.
NAMES = re.compile(
    r"^(SSL Studio|ONNX|Alt|.* [–-] SSL Studio|[\w. -]+ \((19|20)\d\d\)|[\d.,\s]*(min|px|%|s|h)?|.*[/\\].*|"
    r"[\w.-]+\.(png|jpg)|(Strg|Umschalt|Ctrl|Shift|Alt)?.*\+.*|[A-Z]|F\d+|[\w-]+_[\w.]+|.*\bpx|background|object|Traceback.*)$"
)


class Strange(gettext.NullTranslations):
    """A language in which every text is marked, so that one that is not translated stands out."""

    def gettext(self, message: str) -> str:
        return f"{MARK}{message}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return MARK + (msgid1 if n == 1 else msgid2)


def shown_texts(root: QWidget):
    """Everything that a widget and what is in it would show, say or tell, with the name of whose it is."""
    for one in [root, *root.findChildren(QWidget)]:
        if isinstance(one, QComboBox):
            yield from ((one.objectName(), one.itemText(at)) for at in range(one.count()))
        if isinstance(one, QLabel | QAbstractButton):
            yield one.objectName(), one.text()
        yield one.objectName(), one.toolTip()
        yield one.objectName(), one.accessibleName()


def untranslated(root: QWidget) -> set[tuple[str, str]]:
    """What is shown as it stands in the sources."""
    return {
        (name, text)
        for name, text in shown_texts(root)
        if re.search("[A-Za-z]{3}", text) and MARK not in text and not NAMES.match(text.strip())
    }


def cut_off(root: QWidget) -> list[str]:
    """Buttons and single lines that have less room than their text needs."""
    short = []
    for one in root.findChildren(QWidget):
        fixed = isinstance(one, QAbstractButton) or (isinstance(one, QLabel) and not one.wordWrap())
        if fixed and one.isVisible() and one.text() and one.width() < one.sizeHint().width() - 1:
            short.append(f"{one.objectName()}: {one.text()!r} has {one.width()} of {one.sizeHint().width()} pixels")
    return short


@pytest.fixture
def german(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "de")


def test_nothing_of_the_window_is_left_in_english(qtbot, monkeypatch, open_strange):
    window = open_strange()
    found = untranslated(window.welcome)
    for step in PLACES:
        window.go_to_step(step)
        unfold(window)
        found |= untranslated(window)
    assert found == set()
    plain = [
        name for name, action in window.actions_.items() if MARK not in action.text() or MARK not in action.toolTip()
    ]
    classes = [f"paint.class_{number}" for number in (1, 2)]  # bear the names of the project's classes
    assert [name for name in plain if name not in classes] == []


@pytest.fixture
def open_strange(monkeypatch, open_folder_later, image_folder):
    """A window that was made in the strange language, on a folder of images."""

    def run() -> MainWindow:
        monkeypatch.setenv(language.VARIABLE, "de")
        strange = Strange()
        monkeypatch.setattr(language, "_catalogue", lambda code: strange)
        return open_folder_later(image_folder)

    return run


@pytest.fixture
def open_folder_later(qtbot, tmp_path, monkeypatch):
    """Make a window and open a folder in it, once the language is set."""
    made = []

    def run(folder) -> MainWindow:
        monkeypatch.setenv("SSLSTUDIO_STATE", str(tmp_path / "state"))
        window = MainWindow()
        qtbot.addWidget(window, before_close_func=lambda w: w.session.close())
        made.append(window)
        with qtbot.waitExposed(window):
            window.resize(1366, 768)
            window.show()
        window.files.open(folder)
        qtbot.waitUntil(lambda: window.session.labels is not None and window.session.checking < 0, timeout=20_000)
        window.go_to_step("paint")
        qtbot.waitUntil(lambda: len(window.panels["paint"].classes.lines) == 2)
        return window

    yield run
    for window in made:
        window.session.close()


def test_german_fits_into_the_window_and_its_dialogs(qtbot, german, open_folder_later, image_folder, tmp_path):
    window = open_folder_later(image_folder)
    assert [one.name for one in window.session.project.classes] == ["Hintergrund", "Objekt"]
    assert [window.stepper.buttons[step].text() for step in STEPS][:3] == ["Bilder", "Vortrainieren", "Malen"]
    for step in PLACES:
        window.go_to_step(step)
        window.actions_["view.look"].setChecked(step == "paint")
        unfold(window)
        QApplication.sendPostedEvents()
        assert window.panels[step].widget().minimumSizeHint().width() <= 320, step
        assert cut_off(window) == [], step
        assert complaints(window) == [], step
    for dialog in dialogs(window, (*ACTIONS_THAT_ASK, *MADE), tmp_path):
        assert cut_off(dialog) == [], dialog.objectName()


def test_menus_open_by_letters_of_their_own_in_each_language(qtbot, german, open_folder_later, image_folder):
    window = open_folder_later(image_folder)
    texts = [action.text() for action in window.menuBar().actions()]
    assert texts[:2] == ["&Datei", "&Bearbeiten"]
    letters = [text[text.index("&") + 1].lower() for text in texts]
    assert len(set(letters)) == len(letters)


def test_a_language_that_is_chosen_in_the_menu_holds_from_the_next_start(window, monkeypatch):
    assert window.actions_["language.system"].isChecked()
    window.actions_["language.de"].trigger()
    assert "next start" in window.welcome.notice.shown()
    assert language.current() == "en"
    before = QLocale()
    monkeypatch.delenv(language.VARIABLE)
    try:
        app.speak()
        assert language.current() == "de"
        assert QLocale().language() == QLocale.Language.German
    finally:
        QLocale.setDefault(before)
    assert state.settings().value(state.LANGUAGE) == "de"


def test_what_started_the_window_decides_before_the_menu_does(window, monkeypatch):
    state.settings().setValue(state.LANGUAGE, "de")
    monkeypatch.setenv(language.VARIABLE, "en")
    app.speak()
    assert language.current() == "en"
    assert window.layoutDirection() == Qt.LayoutDirection.LeftToRight
