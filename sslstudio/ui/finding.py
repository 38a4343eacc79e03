"""Finding one of many by a few letters; for the command palette. Knows nothing of Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def found(query: str, texts: Sequence[str], others: Sequence[Sequence[str]] = ()) -> list[int]:
    """The places of the texts that fit a query, the best first; all of them, in their order, for an empty one.

    Each word must begin a word of the text, or stand in it, or be made of beginnings of its words ("whim" finds "Whole
    image"); or it begins a word of what else belongs to the text: ``others``, the closest first.
    """
    words = _words(query)
    beside = others or [()] * len(texts)
    scores = [(_score(words, *row), place) for place, row in enumerate(zip(texts, beside, strict=True))]
    return [place for score, place in sorted(scores) if score < _NEVER]


_NEVER = 1000


def _words(text: str) -> list[str]:
    return text.lower().replace("-", " ").replace("…", " ").replace(",", " ").replace(";", " ").split()


def _score(words: Iterable[str], text: str, others: Sequence[str]) -> int:
    """0 is best."""
    starts, beside = _words(text), [_words(other) for other in others]
    return sum(_score_of(word, " ".join(starts), starts, beside) for word in words)


def _score_of(word: str, text: str, starts: list[str], beside: list[list[str]]) -> int:
    if text.startswith(word):
        return 0
    if any(start.startswith(word) for start in starts):
        return 1
    for distance, other in enumerate(beside):
        if any(start.startswith(word) for start in other):
            return 2 + 2 * distance
    if len(word) > 1 and word in text:
        return 8
    return 10 if len(word) > 1 and _made_of(word, starts) else _NEVER


def _made_of(word: str, starts: list[str]) -> bool:
    """Whether a word is put together from beginnings of words, in their order; some may be passed over."""
    if not word:
        return True
    for at, start in enumerate(starts):
        shared = next((n for n in range(min(len(word), len(start)), 0, -1) if start[:n] == word[:n]), 0)
        if any(_made_of(word[n:], starts[at + 1 :]) for n in range(shared, 0, -1)):
            return True
    return False
