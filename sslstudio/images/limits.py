"""From which size on an image is huge: read, shown and painted by parts, never as a whole."""

from __future__ import annotations

HUGE_PIXELS = 150_000_000
"""With colours, their halvings and the labels, so many pixels take 0.75 GB: beside all else, half of 1.5 GB.
Smaller ones are quicker as a whole."""

HUGE_BYTES = 1_200_000_000  # as the file holds it: many channels, or numbers of 32 bit
MOST_PIXELS = 40_000_000_000  # where reading by parts ends: 200,000 × 200,000
BOUND = 4096  # pixels: how wide and high the part of a huge image is that a tool looks through at most


def is_huge(height: int, width: int, pixel_bytes: int = 1) -> bool:
    """Whether an image of so many pixels, of so many bytes each, is dealt with by parts."""
    return height * width > HUGE_PIXELS or height * width * pixel_bytes > HUGE_BYTES
