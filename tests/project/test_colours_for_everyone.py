"""The first class colours are told apart by people with any colour vision, by figures."""

import itertools

import numpy as np
import pytest

from sslstudio.project.classes import DEFAULT_COLOURS, default_colour

# How full protanopia, deuteranopia and tritanopia see linear RGB (Machado, Oliveira and Fernandes 2009, severity 1.0).
VISIONS = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
JUST_SEEN = 2.3  # a difference in CIELAB that one just notices with the two side by side
CLEAR = 6 * JUST_SEEN


def lab(colour: str, vision: str) -> np.ndarray:
    """A colour (#rrggbb) as somebody sees it, in CIELAB (D65)."""
    coded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(VISIONS[vision]) @ linear, 0, 1)
    xyz = TO_XYZ @ seen / (TO_XYZ @ np.ones(3))
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def nearest(colours, vision) -> tuple[float, str, str]:
    pairs = itertools.combinations(colours, 2)
    return min((float(np.linalg.norm(lab(one, vision) - lab(two, vision))), one, two) for one, two in pairs)


@pytest.mark.parametrize("vision", VISIONS)
def test_the_colours_of_two_dozen_classes_are_told_apart(vision):
    colours = [default_colour(place) for place in range(24)]
    distance, one, two = nearest(colours, vision)
    assert distance >= CLEAR, f"{one} and {two} are {distance:.1f} apart"


@pytest.mark.parametrize("vision", VISIONS)
def test_the_first_eight_class_colours_are_told_apart(vision):
    distance, one, two = nearest(DEFAULT_COLOURS[:8], vision)
    assert distance >= CLEAR, f"{one} and {two} are {distance:.1f} apart"


def test_the_measure_finds_red_and_green_of_one_brightness():
    assert nearest(("#b04040", "#6f6f30"), "usual")[0] > 2 * CLEAR
    assert nearest(("#b04040", "#6f6f30"), "protanopia")[0] < nearest(("#b04040", "#6f6f30"), "usual")[0] / 2
