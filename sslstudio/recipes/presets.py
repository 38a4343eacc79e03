"""Domain presets: what the same thing may look like in pictures of one trade.

An augmentation must not change what the image means: turning a micrograph over is harmless, turning a
street upside down is not; hue says nothing in an X-ray and much in a stained section.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sslstudio.language import later


@dataclass(frozen=True)
class Augmentation:
    """How far views of one image may differ; strengths 0 to 1, probabilities 0 to 1.

    ``crop_low`` is the smallest share of the image's area that a view may show.
    """

    crop_low: float = 0.25
    flip_horizontal: float = 0.5
    flip_vertical: float = 0.0
    rotate_quarter: float = 0.0  # probability of a turn by 90, 180 or 270 degrees
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.2
    hue: float = 0.1
    jitter: float = 0.8  # probability that colours are changed at all
    grey: float = 0.2
    blur: float = 0.5
    solarize: float = 0.0
    noise: float = 0.0  # standard deviation of Gaussian noise, image range 0 to 1


@dataclass(frozen=True)
class Preset:
    """A domain with its augmentation and the sentence that the window shows."""

    id: str
    name: str
    summary: str
    augmentation: Augmentation


PRESETS: dict[str, Preset] = {
    preset.id: preset
    for preset in (
        Preset(
            "natural",
            later("Photographs"),
            later("Everyday scenes with an up and a down: mirrored, cropped, recoloured."),
            Augmentation(),
        ),
        Preset(
            "microscopy",
            later("Microscopy"),
            later("No up or down; stains and exposure vary a little."),
            # Stain and focus differ between slides, but hue carries meaning, so colours move mildly.
            Augmentation(
                flip_vertical=0.5,
                rotate_quarter=0.75,
                brightness=0.3,
                contrast=0.3,
                saturation=0.1,
                hue=0.03,
                grey=0.1,
                blur=0.3,
                noise=0.02,
            ),
        ),
        Preset(
            "xray",
            later("X-ray, CT and ultrasound"),
            later("Grey images of a patient lying one way; only exposure varies."),
            # Grey has no hue; strong contrast changes would erase what a radiologist reads.
            Augmentation(
                crop_low=0.4, brightness=0.2, contrast=0.2, saturation=0.0, hue=0.0, grey=0.0, blur=0.1, noise=0.02
            ),
        ),
        Preset(
            "satellite",
            later("Satellite and aerial"),
            later("Seen from above: any turn is possible; haze and season vary."),
            Augmentation(
                flip_vertical=0.5,
                rotate_quarter=0.75,
                brightness=0.3,
                contrast=0.3,
                saturation=0.2,
                hue=0.05,
                grey=0.1,
                blur=0.3,
            ),
        ),
        Preset(
            "industrial",
            later("Industrial inspection"),
            later("Fixed camera, small defects: small crops, little blur."),
            # Small crops, because defects are small; blur would wash them out.
            Augmentation(
                crop_low=0.08,
                flip_vertical=0.5,
                rotate_quarter=0.25,
                brightness=0.3,
                contrast=0.3,
                saturation=0.1,
                hue=0.02,
                grey=0.1,
                blur=0.1,
            ),
        ),
    )
}

PRESET_NAMES: dict[str, str] = {preset.id: preset.name for preset in PRESETS.values()}


_MEDICAL, _MICROSCOPES = ("dcm", "dicom", "ima"), (".ome.tif", ".ome.tiff", ".ome.btf")


def likely(names: Iterable[str]) -> str:
    """The preset that files' names speak for until somebody says what they show: most tell nothing."""
    lowered = [name.partition("#")[0].rpartition("/")[2].lower() for name in names]
    if 2 * sum(_is_medical(name) for name in lowered) > len(lowered):
        return "xray"
    return "microscopy" if 2 * sum(name.endswith(_MICROSCOPES) for name in lowered) > len(lowered) else "natural"


def _is_medical(name: str) -> bool:
    """Whether it is a DICOM file's: many have no ending, or are called by a number such as 1.2.840.10008."""
    ending = name.rpartition(".")[2] if "." in name else ""
    return ending in _MEDICAL or not ending or ending.isdigit()


def look_of(preset: str, *, grey: bool = False) -> Augmentation:
    """How far views of one image may differ; where all images are ``grey``, no time goes into colours they lack."""
    look = PRESETS[preset].augmentation
    return replace(look, hue=0.0, saturation=0.0, grey=0.0) if grey else look
