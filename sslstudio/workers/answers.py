"""Works out the answers of the inference process and remembers what the next question is likely to need."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import torch

from sslstudio.errors import UserError
from sslstudio.images.bands import read_bands8
from sslstudio.images.display import shrunk_size
from sslstudio.images.huge_reading import huge_bands
from sslstudio.images.reader import probe
from sslstudio.images.reduced import resized
from sslstudio.images.slices import file_of
from sslstudio.language import tr
from sslstudio.learning.assist.likeness import LONGEST, Places, likeness, places_of
from sslstudio.learning.assist.places_cache import PlacesCache
from sslstudio.learning.backbones.checkpoints import load_encoder
from sslstudio.learning.backbones.encoder import Encoder, create_encoder
from sslstudio.learning.evaluation.attention import Attention, attend, feature_colours
from sslstudio.learning.segmentation.model import load_model
from sslstudio.learning.segmentation.tiles import bands
from sslstudio.queries.messages import AttentionQuery, Query, SegmentQuery, SimilarQuery

T = TypeVar("T")
Key = tuple[object, ...]


class Answers:
    """Arrays for questions; of models, encoders, attention and segmentation the last one is kept each."""

    def __init__(self) -> None:
        # Two threads at most: painting and training need the processor more than a quick answer does.
        torch.set_num_threads(1 if (os.cpu_count() or 1) <= 4 else 2)
        self._kept: dict[str, tuple[Key, object]] = {}

    def arrays(self, query: Query) -> dict[str, np.ndarray]:
        """The arrays of the answer, see ``queries.messages.Answer``; raises UserError."""
        if isinstance(query, SegmentQuery):
            return self._segment(query)
        if isinstance(query, SimilarQuery):
            return {"likeness": self._likeness(query)}
        if query.colours:
            return {"colours": self._colours(query)}
        attention = self._attention(query)
        return {"maps": attention.maps(query.query), "mass": attention.mass(query.query)}

    @cached_property
    def device(self) -> str:
        """Where models live."""
        return "cuda" if torch.cuda.is_available() else "cpu"

    def _keep(self, slot: str, key: Key, make: Callable[[], T]) -> T:
        """What ``make`` gives, or what it gave last time for the same key."""
        if slot in self._kept and self._kept[slot][0] == key:
            return self._kept[slot][1]  # type: ignore[return-value]
        self._kept.pop(slot, None)  # make room before the new one is made
        made = make()
        self._kept[slot] = (key, made)
        return made

    def _pixels(self, image: str, channels: int) -> np.ndarray:
        return self._keep("image", (*_stamp(Path(image)), channels), lambda: read_bands8(Path(image), channels))

    def _segment(self, query: SegmentQuery) -> dict[str, np.ndarray]:
        folder = Path(query.model)
        version = _stamp(folder / "model.json")
        model = self._keep("model", version, lambda: load_model(folder, self.device))

        def make() -> dict[str, np.ndarray]:
            pixels = self._pixels(query.image, model.encoder.channels)
            labels, confidence = np.empty(pixels.shape[:2], np.uint8), np.empty(pixels.shape[:2], np.uint8)
            for band in bands(model, pixels):  # never all probabilities at once
                rows = slice(band.top, band.top + band.probabilities.shape[1])
                labels[rows] = band.probabilities.argmax(axis=0)
                confidence[rows] = np.round(band.probabilities.max(axis=0) * 255).clip(0, 255)
            return {"labels": labels, "confidence": confidence}

        return self._keep("segment", (version, _stamp(Path(query.image))), make)

    def _colours(self, query: AttentionQuery) -> np.ndarray:
        """The features of an image as colours."""
        version, encoder = self._encoder(query.encoder)
        key = (version, _stamp(Path(query.image)))
        return self._keep("colours", key, lambda: feature_colours(encoder, self._pixels(query.image, encoder.channels)))

    def _likeness(self, query: SimilarQuery) -> np.ndarray:
        """How alike the places of an image are to examples; the places are kept, so another click costs little."""
        source = self._places(query.source or query.image, query, "source")
        if query.source in ("", query.image):
            return likeness(source, query.examples)
        return likeness(self._places(query.image, query, "places"), query.examples, source)

    def _places(self, image: str, query: SimilarQuery, slot: str) -> Places:
        version = _encoder_stamp(query.encoder)
        key: Key = (version, _stamp(Path(image)))
        if (part := query.part) is not None:
            return self._keep(slot, (*key, part), lambda: self._places_in(image, query.encoder, part))

        def make() -> Places:
            cache = PlacesCache(Path(query.cache)) if query.cache else None
            kept = cache.read(key) if cache else None
            if kept is not None:
                return kept
            known, encoder = self._encoder(query.encoder)
            info = probe(Path(image))
            seen = read_bands8(Path(image), encoder.channels, longest=2 * LONGEST[encoder.kind])
            made = places_of(encoder, seen, (info.height, info.width))
            if cache:
                cache.keep((known, key[1]), made)
            return made

        return self._keep(slot, key, make)

    def _places_in(self, image: str, where: str, part: tuple[int, int, int, int]) -> Places:
        """The places of a part of a huge image; left, top, right and bottom."""
        _, encoder = self._encoder(where)
        (left, top, right, bottom), longest = part, 2 * LONGEST[encoder.kind]
        huge = huge_bands(Path(image), encoder.channels)
        if huge is None:
            seen = read_bands8(Path(image), encoder.channels)[top:bottom, left:right]
        else:
            seen = huge.size(0)[top:bottom, left:right]
        width, height = shrunk_size(right - left, bottom - top, longest)
        return places_of(encoder, resized(seen, height, width, cv2.INTER_AREA), (bottom - top, right - left))

    def _encoder(self, where: str) -> tuple[Key, Encoder]:
        """The encoder and what its answers may be kept under, which says so where it is untrained."""

        def make() -> tuple[Encoder, bool]:
            encoder, learned = _encoder(where)
            return encoder.to(self.device).eval(), learned

        encoder, learned = self._keep("encoder", _encoder_stamp(where), make)
        return (_encoder_stamp(where) if learned else _untrained(where)), encoder

    def _attention(self, query: AttentionQuery) -> Attention:
        """Attention of a block over an image; kept, so that following the pointer is a matter of slicing."""
        version, encoder = self._encoder(query.encoder)
        return self._keep(
            "attention",
            (version, _stamp(Path(query.image)), query.block),
            lambda: attend(encoder, self._pixels(query.image, encoder.channels), block=query.block),
        )


def _stamp(file: Path) -> Key:
    """Changes when the file does; for a missing file, what is read next will say so."""
    try:
        facts = file_of(file).stat()
    except OSError:
        return (str(file), 0, 0)
    return (str(file), facts.st_mtime_ns, facts.st_size)


def _encoder_stamp(where: str) -> Key:
    for name in ("encoder.json", "model.json"):
        if (file := Path(where) / name).exists():
            return _stamp(file)
    if Path(where).is_absolute():
        return (where,)
    weights = _published(where)
    return (where, *_stamp(weights)) if weights else _untrained(where)


def _untrained(name: str) -> Key:
    return (name, "untrained")


def _published(name: str) -> Path | None:
    """The file with a network's published weights, if they have been fetched before."""
    from sslstudio.learning.backbones.published import cached

    try:
        return cached(name)
    except (UserError, RuntimeError):
        return None


def _encoder(where: str) -> tuple[Encoder, bool]:
    """The encoder of a checkpoint folder, of a model's folder, or by timm name; and whether it has learned."""
    folder = Path(where)
    if (folder / "encoder.json").exists():
        return load_encoder(folder), True
    if (folder / "model.json").exists():
        return load_model(folder).encoder, True
    if folder.is_absolute():
        raise UserError(
            tr("There is no encoder in {folder}.").format(folder=folder),
            tr("Choose another run, or wait for its first checkpoint."),
        )
    return _named_encoder(where)


def _named_encoder(name: str) -> tuple[Encoder, bool]:
    """A timm encoder with its published weights if they can be had, else with fresh ones; and which of the two."""
    try:
        return create_encoder(name, pretrained=True), True
    except (UserError, RuntimeError):
        torch.manual_seed(0)  # the same untrained network in every process
        return create_encoder(name), False
