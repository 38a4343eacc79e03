"""How the window looks: a light and a dark palette, three text sizes, an 8-pixel grid, one accent colour."""

from __future__ import annotations

from dataclasses import dataclass, fields

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

SPACE = 8  # pixels; distances are multiples of it (or its half)
SMALL, TEXT, TITLE = 11, 13, 16  # pixels
SYSTEM = "system"
LOOKS = (SYSTEM, "light", "dark")
_CHOSEN = "look"  # property of the application


@dataclass(frozen=True)
class Tone:
    """One set of colours as ``#rrggbb``; ``surround`` is the neutral grey around the canvas."""

    window: str
    base: str
    alternate: str
    text: str
    quiet: str  # notes; still readable on window and base
    disabled: str
    button: str
    line: str  # hairlines between areas; decoration only
    edge: str  # outlines of controls
    accent: str
    on_accent: str
    link: str
    surround: str
    on_surround: str
    notice: str  # ground of a notice
    warning: str  # its icon
    error: str
    good: str


LIGHT = Tone(
    window="#f5f5f6",
    base="#ffffff",
    alternate="#ececee",
    text="#1b1c1f",
    quiet="#5a5d66",
    disabled="#8f929b",
    button="#fcfcfd",
    line="#d9dade",
    edge="#85888f",
    accent="#2f62c9",
    on_accent="#ffffff",
    link="#2456b8",
    surround="#8a8a8a",
    on_surround="#111111",
    notice="#fdf3d6",
    warning="#8a5a00",
    error="#b3261e",
    good="#1d7a46",
)
DARK = Tone(
    window="#26272a",
    base="#1d1e20",
    alternate="#303135",
    text="#e8e8ea",
    quiet="#a9acb4",
    disabled="#73767e",
    button="#35363a",
    line="#3c3d42",
    edge="#85888f",
    accent="#7aa5f8",
    on_accent="#10131a",
    link="#8fb4ff",
    surround="#3a3a3a",
    on_surround="#eeeeee",
    notice="#3d3520",
    warning="#f0bd5b",
    error="#ff8a80",
    good="#66cf94",
)


def palette_of(tone: Tone) -> QPalette:
    """Qt's palette for a tone; every role that Fusion draws with is set."""
    role = QPalette.ColorRole
    palette = QPalette()
    pairs = {
        role.Window: tone.window,
        role.WindowText: tone.text,
        role.Base: tone.base,
        role.AlternateBase: tone.alternate,
        role.Text: tone.text,
        role.PlaceholderText: tone.quiet,
        role.Button: tone.button,
        role.ButtonText: tone.text,
        role.BrightText: tone.on_accent,
        role.Highlight: tone.accent,
        role.HighlightedText: tone.on_accent,
        role.Accent: tone.accent,
        role.Link: tone.link,
        role.LinkVisited: tone.link,
        role.ToolTipBase: tone.base,
        role.ToolTipText: tone.text,
        role.Light: tone.base,
        role.Midlight: tone.alternate,
        role.Mid: tone.line,
        role.Dark: tone.edge,
        role.Shadow: tone.edge,
    }
    for name, colour in pairs.items():
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(tone.disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(tone.line))
    palette.setColor(QPalette.ColorGroup.Disabled, role.HighlightedText, QColor(tone.disabled))
    return palette


def tone() -> Tone:
    """The tone that is shown now, read back from the application's palette."""
    return DARK if QGuiApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128 else LIGHT


def wants_dark() -> bool:
    """Whether the system asks for dark windows."""
    return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark


def apply(app: QApplication, dark: bool | None = None) -> None:
    """Set style, palette and font; ``dark`` None follows the system, also when it changes later."""
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(font(TEXT))
    _set_tone(app, wants_dark() if dark is None else dark)
    if dark is None:
        app.styleHints().colorSchemeChanged.connect(lambda scheme: choose(app, str(app.property(_CHOSEN) or SYSTEM)))


def choose(app: QApplication, look: str) -> None:
    """Show one of ``LOOKS`` from now on."""
    app.setProperty(_CHOSEN, look)
    _set_tone(app, wants_dark() if look == SYSTEM else look == "dark")


def _set_tone(app: QApplication, dark: bool) -> None:
    app.setPalette(palette_of(DARK if dark else LIGHT))


def font(pixels: int = TEXT, *, bold: bool = False, tabular: bool = False) -> QFont:
    """The system's font at one of our three sizes; ``tabular`` figures do not jump while they count."""
    made = QFont(QGuiApplication.font())
    made.setPixelSize(pixels)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def quieten(widget: QWidget) -> None:
    """Show a widget's text in the quiet colour of notes."""
    palette = widget.palette()
    shown = QColor(tone().quiet)
    for name in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        palette.setColor(name, shown)
    widget.setPalette(palette)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two ``#rrggbb`` colours, 1 to 21."""
    bright, dim = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _luminance(colour: str) -> float:
    shown = QColor(colour)
    parts = (shown.redF(), shown.greenF(), shown.blueF())
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def tones() -> dict[str, dict[str, str]]:
    """Both tones as plain values, for tests and documentation."""
    return {name: {f.name: getattr(t, f.name) for f in fields(t)} for name, t in (("light", LIGHT), ("dark", DARK))}
