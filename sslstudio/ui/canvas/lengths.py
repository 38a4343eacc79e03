"""Round lengths for a scale bar."""

from __future__ import annotations

import math

_UNITS = ((1e6, "m"), (1e4, "cm"), (1e3, "mm"), (1.0, "µm"), (1e-3, "nm"), (1e-6, "pm"))  # in micrometres
_SHORTEST = 24  # widget pixels


def round_length(micrometres: float, room: float) -> tuple[float, str] | None:
    """The longest of 1, 2, 5, 10 … that fits into ``room`` widget pixels of so many micrometres: pixels and words.

    None where no bar would be of any use.
    """
    most = micrometres * room
    if not (math.isfinite(most) and most > 0):
        return None
    power = 10.0 ** math.floor(math.log10(most))
    length = next(step * power for step in (5, 2, 1) if step * power <= most * (1 + 1e-9))
    unit, name = next(((unit, name) for unit, name in _UNITS if length >= unit * 0.999 and name != "cm"), _UNITS[-1])
    pixels = length / micrometres
    return (pixels, f"{length / unit:g} {name}") if pixels >= _SHORTEST else None
