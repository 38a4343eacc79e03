"""Which class means “nothing of interest”: known by its name, in the languages that people name it in."""

from __future__ import annotations

NAMES = frozenset(
    [
        "background",
        "bg",
        "void",
        "hintergrund",
        "fond",
        "arrière-plan",
        "fondo",
        "sfondo",
        "achtergrond",
        "bakgrunn",
        "bakgrund",
        "baggrund",
        "tausta",
        "tło",
        "pozadí",
        "pozadie",
        "háttér",
        "fundal",
        "fundo",
        "arkaplan",
        "фон",
        "背景",
        "배경",
    ]
)


def is_background(name: str) -> bool:
    """Whether a class of this name is drawn as ground and speaks last when quality is told."""
    return name.strip().lower() in NAMES
