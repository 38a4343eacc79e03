"""How sizes grow and shrink step by step: the brush, patches, a tolerance."""

from __future__ import annotations

BRUSH_MIN, BRUSH_MAX = 1, 999  # image pixels


def stepped(size: int, steps: int, least: int = BRUSH_MIN, most: int = BRUSH_MAX) -> int:
    """A size some steps larger or smaller, within bounds: about a tenth each, at least one."""
    for _ in range(abs(steps)):
        size += max(1, round(size / 10)) * (1 if steps > 0 else -1)
    return min(max(size, least), most)
