"""Texts are marked, catalogues hold all of them, and what is translated names the same values."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sslstudio import language
from sslstudio.recipes.method_rules import Situation, suggest_method

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "sslstudio"
# Unmarked on purpose: (part of the path, text or the beginning of it): reason.
ALLOWED = {
    ("", "SSL Studio"): "the program's name",
    ("ui/", "look"): "names of settings in a project",
    ("ui/wiring/files.py", "{} – SSL Studio"): "the names of a project and the program",
    ("ui/opening.py", "Sample cells.sslproj"): "the name of a folder",
    ("ui/opening.py", "round cell"): "names of classes are data of a project",
    ("ui/opening.py", "spindle cell"): "names of classes are data of a project",
    ("ui/inference.py", "inference ends"): "the name of a thread",
    ("ui/folder_search.py", "search ends"): "the name of a thread",
    ("ui/theme.py", "Fusion"): "the name of Qt's style",
    ("ui/panels/form.py", "Row"): "the name of a class in an annotation",
    ("ui/canvas/viewport.py", ""): "names of classes for importing",
    ("ui/canvas/__init__.py", ""): "names of classes for importing",
    ("ui/canvas/tools/__init__.py", ""): "names of classes for importing",
    ("ui/dialogs/report.py", "{}, Python {}"): "facts for those who mend the program",
    ("ui/dialogs/shortcuts.py", ""): "names of menus, marked in the table of actions",
    ("ui/dialogs/backbones.py", "timm {}"): "how a recipe names published weights",
    ("ui/actions.py", ""): "a table whose texts are read from their places",
    ("runs/follow.py", ""): "what the command line prints is English",
    ("ui/main_window.py", "Help"): "the name of a menu, marked in the table of actions",
}
TELLING = {"UserError", "UnreadableImage", "refuse", "Phase", "Warned", "Row", "Fitted", "DamagedMask", "ImagesMoved"}
MARKS = {"tr", "tr_many", "later", "many"}
# Calls whose literals nobody reads.
INNER = {
    "setObjectName", "findChild", "findChildren", "debug", "info", "warning", "error", "exception", "critical", "cast",
    "TypeVar", "startswith", "endswith", "removeprefix", "removesuffix", "replace", "strftime", "strptime", "Literal",
    "setProperty", "property", "value", "setValue", "setting", "set_setting", "compile", "getattr", "introduce",
    "Action",    "ValueError", "TypeError", "RuntimeError", "KeyError", "AssertionError", "NotImplementedError",
}  # fmt: skip


def load_texts():
    """The module behind ``./studio texts``."""
    pytest.importorskip("babel")
    spec = importlib.util.spec_from_file_location("texts", ROOT / "packaging" / "texts.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["texts"] = made
    spec.loader.exec_module(made)
    return made


def is_readable(text: str) -> bool:
    """Whether a text is words for people: several words, one with a capital letter, or one with a full stop or dots."""
    plain = text.replace("{}", "")
    if re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|WHERE|ORDER BY)\b", plain) or ("://" in plain and " " not in plain):
        return False
    several = re.search(r"[A-Za-z]{2,}[,;:.!?]? +[\w“(–]|\w [a-z]{2,}", plain)
    return bool(several or re.fullmatch(r"[A-Z][a-z]{2,}(-[a-z]+)?[….:?!]?|[a-z]{3,}( ?…|[:?!])", plain))


def unmarked(source: str, only: frozenset[str] = frozenset()) -> list[tuple[int, str]]:
    """Readable literals that no call marks, with their lines; ``only`` those within calls of these names."""
    found: list[tuple[int, str]] = []

    def walk(node: ast.AST, telling: bool) -> None:
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in MARKS | INNER:
                return
            telling = telling or name in only
        if isinstance(node, ast.Assert | ast.Compare) or (isinstance(node, ast.Expr) and is_words(node.value)):
            return
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
            take(node, "".join(map(str, parts)), telling)
        elif is_words(node):
            take(node, node.value, telling)
        for child in inner(node):
            walk(child, telling)

    def take(node: ast.expr, text: str, telling: bool) -> None:
        if (telling or not only) and is_readable(text):
            found.append((node.lineno, text))

    walk(ast.parse(source), False)
    return found


def is_words(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def inner(node: ast.AST):
    """What is below a node, less annotations, keys and the constant parts of a formatted text."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "keys", "slice", "format_spec"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
                yield child


def allowed(file: str, text: str) -> bool:
    return any(part in file and text.startswith(beginning) for part, beginning in ALLOWED)


def findings(files, only=frozenset()) -> list[str]:
    return [
        f"{name}:{line}: {text!r}"
        for file in sorted(files)
        for name in [file.relative_to(SOURCES).as_posix()]
        for line, text in unmarked(file.read_text("utf-8"), only)
        if not allowed(name, text)
    ]


def test_every_text_of_the_window_is_marked():
    files = [file for file in (SOURCES / "ui").rglob("*.py") if "tour" not in file.parts]
    assert findings(files) == []


def test_what_lower_rooms_tell_people_is_marked():
    rooms = ("images", "project", "annotations", "regions", "recipes", "runs", "queries", "learning", "workers")
    files = [file for room in rooms for file in (SOURCES / room).rglob("*.py")]
    assert findings(files, frozenset(TELLING)) == []


def test_the_search_finds_what_is_not_marked():
    source = 'def f(n):\n    a.setText("Two words")\n    raise UserError(f"{n} is gone", tr("Look for it."))\n'
    assert unmarked(source) == [(2, "Two words"), (3, "{} is gone")]
    assert unmarked(source, frozenset(TELLING)) == [(3, "{} is gone")]


def test_nothing_is_translated_before_the_language_is_known():
    early = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in SOURCES.rglob("*.py")
        for node in at_import(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "tr_many")
    ]
    assert early == []


def at_import(node: ast.AST):
    """Everything that runs when a module is read: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for default in [*child.args.defaults, *child.args.kw_defaults]:
                if default is not None:
                    yield default
                    yield from at_import(default)
        else:
            yield child
            yield from at_import(child)


def test_marked_texts_are_literals_without_values():
    """``tr(f"…")`` could never be found in a catalogue."""
    wrong = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "later")
        if any(isinstance(argument, ast.JoinedStr | ast.BinOp) for argument in node.args)
    ]
    assert wrong == []


@pytest.mark.parametrize("code", [code for code in language.LANGUAGES if code != "en"])
def test_a_catalogue_is_up_to_date_complete_and_names_the_same_values(code):
    texts = load_texts()
    assert texts.stale(code) == [], "run ./studio texts"
    catalogue = texts.read(code)
    assert texts.untranslated(catalogue) == []
    assert texts.wrong_values(catalogue) == []
    assert [message.id for message in catalogue if message.fuzzy and message.id] == []
    assert catalogue.num_plurals == 2


def test_what_a_catalogue_holds_can_be_formatted():
    texts = load_texts()
    for message in texts.read("de"):
        for text in message.string if isinstance(message.string, tuple) else (message.string,):
            assert text.count("{") == text.count("}"), text
            assert text.strip() != "" or message.id == "", message.id


def test_every_language_of_the_menu_has_a_catalogue_and_every_catalogue_is_in_the_menu():
    from sslstudio.ui.actions import BY_ID

    assert {"en", *load_texts().languages()} == set(language.LANGUAGES)
    assert all(f"language.{code}" in BY_ID for code in language.LANGUAGES)


def test_german_speaks_with_its_plurals_and_its_comma(monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "de_AT")
    assert language.current() == "de"
    assert language.tr("Undo") == "Rückgängig"
    assert language.tr_many("{count} image", "{count} images", 1).format(count=1) == "1 Bild"
    assert language.tr_many("{count} image", "{count} images", 2).format(count=2) == "2 Bilder"
    assert language.tr("about {seconds:.1f} s").format(seconds=2.5) == "etwa 2,5 s"
    assert language.tr("nobody marked this") == "nobody marked this"
    many = language.tr_many("{total:,} image", "{total:,} images", 12345)
    assert many.format(total=12345) == many.format(total=np.int64(12345)) == "12.345 Bilder"
    plain = language.tr("{count} image, {yes}")
    assert plain.format(count=12345, yes=True) == "12345 image, True"


def test_the_reason_for_a_method_counts_images_in_the_readers_way(monkeypatch):
    situation = Situation(images=12345, side=224, device="cpu", minutes=10, backbone="conv")
    monkeypatch.setenv(language.VARIABLE, "de")
    assert "12.345 Bildern" in suggest_method(situation)[1]
    monkeypatch.setenv(language.VARIABLE, "en")
    assert "12,345 images" in suggest_method(situation)[1]


def test_without_a_word_about_it_a_process_speaks_english(monkeypatch):
    monkeypatch.delenv(language.VARIABLE)
    assert language.tr("Undo") == "Undo"
    monkeypatch.setenv(language.VARIABLE, "tlh")
    assert language.tr("Undo") == "Undo"


def test_a_process_that_is_started_speaks_the_language_that_was_chosen(tmp_path, monkeypatch):
    monkeypatch.setenv(language.VARIABLE, "en")
    words = [sys.executable, "-m", "sslstudio", "new", str(tmp_path / "new"), "--images", str(tmp_path / "nowhere")]
    english = subprocess.run(words, capture_output=True, text=True, check=False)
    language.choose("de")
    german = subprocess.run(words, capture_output=True, text=True, check=False)
    assert english.returncode == german.returncode != 0
    assert "is not there" in english.stderr
    assert "ist nicht da" in german.stderr
