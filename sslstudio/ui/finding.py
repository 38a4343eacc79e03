"""Finding one of many by a few letters; for the command palette. Knows nothing of Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def found(query: str, texts: Sequence[str]) -> list[int]:
    """The places of the texts that fit a query, the best first; all of them, in their order, for an empty one.

    Each word must begin a word of the text, or stand in it, or its letters must follow each other in it.
    """
    words = query.lower().split()
    scores = [(_score(words, text.lower()), place) for place, text in enumerate(texts)]
    return [place for score, place in sorted(scores) if score < _NEVER]


_NEVER = 1000


def _score(words: Iterable[str], text: str) -> int:
    """0 is best."""
    starts = text.replace("-", " ").split()
    total = 0
    for word in words:
        if text.startswith(word):
            continue
        if any(start.startswith(word) for start in starts):
            total += 1
        elif word in text:
            total += 2
        elif len(word) > 1 and _in_order(word, text):
            total += 10
        else:
            return _NEVER
    return total


def _in_order(word: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in word)
